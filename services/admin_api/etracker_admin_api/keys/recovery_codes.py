"""Recovery codes: 120 random bits as 24 letters and digits, and a check character. Pure.

The alphabet leaves out I, L, O and U, which are read as 1, 1, 0 and V. Characters are numbers of the field GF(32); the
check character is their sum, each multiplied by another power of a generator. So one wrong character, or two that
changed places, are always noticed.
"""

import hashlib
import re
import secrets

from etracker_admin_api.errors import MistypedCodeError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_PATTERN = f"^([{ALPHABET}]{{5}}-){{4}}[{ALPHABET}]{{5}}$"
LENGTH = 24
_GROUP = 5
_REDUCTION = 0b100101  # x^5 + x^2 + 1, of which x is a generator
_LOOK_ALIKES = str.maketrans("ILOU", "110V")


def new_recovery_code() -> str:
    """Generate a code: five groups of five characters, for example ``7ZK4M-...``."""
    return format_code("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)))


def format_code(characters: str) -> str:
    """Append the check character to 24 characters, and divide them into groups."""
    whole = characters + _check_character(characters)
    return "-".join(whole[start : start + _GROUP] for start in range(0, LENGTH + 1, _GROUP))


def hash_code(typed: str) -> bytes:
    """Return the hash under which a code is stored, however it was typed: with small letters, spaces, without hyphens.

    Raises:
        MistypedCodeError: it can't be a code.
    """
    characters = re.sub(r"[\s\-]", "", typed).upper().translate(_LOOK_ALIKES)
    if len(characters) != LENGTH + 1:
        raise MistypedCodeError(f"A recovery code has {LENGTH + 1} letters and digits; this one has {len(characters)}.")
    if set(characters) - set(ALPHABET) or _check_character(characters[:LENGTH]) != characters[LENGTH]:
        raise MistypedCodeError("There is a typing error in the recovery code. Compare it with what you wrote down.")
    return hashlib.sha256(characters[:LENGTH].encode()).digest()


def _check_character(characters: str) -> str:
    total = 0
    for character in characters:  # Horner's scheme
        total = _double(total ^ ALPHABET.index(character))
    return ALPHABET[total]


def _double(number: int) -> int:
    doubled = number << 1
    return doubled ^ _REDUCTION if doubled & 0b100000 else doubled
