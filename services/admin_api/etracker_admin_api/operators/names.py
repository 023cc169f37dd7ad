"""Operators' names. The audit log identifies operators by name, so no two may look alike."""

import re
import unicodedata

from etracker_admin_api.errors import UnfitNameError

OPERATOR_NAME = "[A-Za-z0-9]([A-Za-z0-9 ._@+-]{0,62}[A-Za-z0-9])?"

_NAME = re.compile(OPERATOR_NAME)
_SEPARATORS = re.compile(r"[\W_]+")
_LOOK_ALIKES = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l"))


def check_operator_name(name: str) -> str:
    """Return an operator's name without surrounding spaces.

    Raises:
        UnfitNameError: it isn't a short line of ASCII letters, digits and a few signs.
    """
    name = name.strip(" ")
    if not _NAME.fullmatch(name) or "  " in name:
        raise UnfitNameError(
            "A name has 1 to 64 characters (ASCII letters, digits, single spaces and . _ @ + -)"
            " and begins and ends with a letter or digit."
        )
    return name


def appearance(name: str) -> str:
    """Return a form that is the same for names that look alike, whatever their case, accents and punctuation."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    letters = _SEPARATORS.sub(" ", letters)
    for one, other in _LOOK_ALIKES:
        letters = letters.replace(one, other)
    return letters or name
