"""What an API key that somebody chose has to be like."""

MIN_CHARACTERS = 16
GOOD_CHARACTERS = 20
HOW_TO_MAKE_ONE = "`openssl rand -hex 20` makes a good one"

_SURROUNDINGS = " \t\r\n\v\f"
"""What may stand around a key, in a file or a header, without being part of it."""


class UnfitApiKeyError(ValueError):
    """A key nobody should use, or could send; the message says why without showing it."""


def check_api_key(text: str) -> str:
    """Return the key without what surrounds it.

    Raises:
        UnfitApiKeyError: it is too short, or no header can hold it.
    """
    key = text.strip(_SURROUNDINGS)
    if not key.isprintable():
        raise UnfitApiKeyError(f"the API key holds characters that can't be sent in a header; {HOW_TO_MAKE_ONE}")
    if len(key) < MIN_CHARACTERS:
        raise UnfitApiKeyError(f"the API key has fewer than {MIN_CHARACTERS} characters; {HOW_TO_MAKE_ONE}")
    return key


def is_short(api_key: str) -> bool:
    """Return whether a key is accepted but easier to guess than it should be."""
    return len(api_key) < GOOD_CHARACTERS
