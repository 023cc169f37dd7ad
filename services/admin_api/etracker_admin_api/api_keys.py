"""API keys: what operators may choose as a key, and how keys are generated and stored."""

import hashlib
import secrets

MIN_CHARACTERS = 16
GOOD_CHARACTERS = 20
HOW_TO_MAKE_ONE = "`openssl rand -hex 20` generates a good one"

_WHITESPACE = " \t\r\n\v\f"
"""May surround a key in a file or a header without being part of it."""
_KEY_BYTES = 24


class UnfitApiKeyError(ValueError):
    """A key that is too weak or can't be sent; the message says why without showing the key."""


def check_api_key(text: str) -> str:
    """Return the key without surrounding whitespace.

    Raises:
        UnfitApiKeyError: it is too short, or can't be sent in a header.
    """
    key = text.strip(_WHITESPACE)
    if not key.isprintable():
        raise UnfitApiKeyError(f"the API key contains characters that can't be sent in a header; {HOW_TO_MAKE_ONE}")
    if len(key) < MIN_CHARACTERS:
        raise UnfitApiKeyError(f"the API key has fewer than {MIN_CHARACTERS} characters; {HOW_TO_MAKE_ONE}")
    return key


def is_short(api_key: str) -> bool:
    """Return whether a key is accepted but easier to guess than it should be."""
    return len(api_key) < GOOD_CHARACTERS


def new_api_key() -> str:
    """Generate an API key of 192 random bits."""
    return "etk_" + secrets.token_urlsafe(_KEY_BYTES)


def hash_api_key(api_key: bytes) -> bytes:
    """Hash an API key. Keys are random, unlike passwords, so one round of SHA-256 is enough."""
    return hashlib.sha256(api_key.strip()).digest()
