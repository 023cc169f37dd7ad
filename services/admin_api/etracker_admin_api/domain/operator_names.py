"""Operators' names. The audit log says by them who did what, so no two may look alike."""

import re
import unicodedata

from etracker_admin_api.domain.errors import UnfitNameError

OPERATOR_NAME = "[A-Za-z0-9]([A-Za-z0-9 ._@+-]{0,62}[A-Za-z0-9])?"

_NAME = re.compile(OPERATOR_NAME)
_SEPARATORS = re.compile(r"[\W_]+")
_LOOK_ALIKES = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l"))


def check_operator_name(name: str) -> str:
    """Return an operator's name, without spaces around it.

    Raises:
        UnfitNameError: it isn't a short line of ASCII letters, digits and a few signs.
    """
    name = name.strip(" ")
    if not _NAME.fullmatch(name) or "  " in name:
        raise UnfitNameError(
            "A name is 1 to 64 ASCII letters, digits, single spaces and . _ @ + -;"
            " it begins and ends with a letter or digit."
        )
    return name


def appearance(name: str) -> str:
    """Return what names that look alike have in common, whatever their case, accents and signs."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    letters = _SEPARATORS.sub(" ", letters)
    for one, other in _LOOK_ALIKES:
        letters = letters.replace(one, other)
    return letters or name
