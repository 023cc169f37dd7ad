"""Names chosen by uploaders: what may be stored, shown, and written to a disk."""

import re
import unicodedata

from etracker_admin_api.errors import TorrentError, UnfitNameError

MAX_NAME_BYTES = 1024
MAX_COMPONENT_BYTES = 255
"""The limit of common file systems."""

_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTION_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make ``gpj.exe`` look like ``exe.jpg``."""

_DRIVE = re.compile(r"[A-Za-z]:")
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[1-9]|lpt[1-9])(\..*)?", re.IGNORECASE)
"""Reserved on Windows, with any extension."""


def check_name(name: str) -> str:
    """Return a display name: one clean line of at most 1,024 bytes, or empty.

    Raises:
        UnfitNameError: it contains control characters, direction overrides or half a surrogate pair, or is too long.
    """
    if _has_trickery(name):
        raise UnfitNameError("The name contains control characters.")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise UnfitNameError(f"The name is longer than {MAX_NAME_BYTES} bytes.")
    return name


def parse_component(raw: object, what: str) -> str:
    """Parse one component of a path inside a torrent; ``what`` names it in the error.

    Raises:
        TorrentError: it isn't UTF-8, points outside its folder, or is a name that some file systems can't take.
    """
    if not isinstance(raw, bytes):
        raise TorrentError(f"{what} isn't a string.")
    try:
        component = raw.decode()
    except UnicodeDecodeError:
        raise TorrentError(f"{what} isn't valid UTF-8.") from None
    if not component.strip(" "):
        raise TorrentError(f"{what} is empty.")
    if component in {".", ".."} or "/" in component or "\\" in component or _DRIVE.match(component):
        raise TorrentError(f"{what} points outside its folder.")
    if _has_trickery(component):
        raise TorrentError(f"{what} contains control characters.")
    if len(raw) > MAX_COMPONENT_BYTES:
        raise TorrentError(f"{what} is longer than {MAX_COMPONENT_BYTES} bytes.")
    if _DEVICE.fullmatch(component):
        raise TorrentError(f"{what} is a reserved device name on Windows.")
    return component


def _has_trickery(text: str) -> bool:
    if text.isascii() and text.isprintable():
        return False
    return any(unicodedata.category(character) in _INVISIBLE_CATEGORIES for character in text) or not (
        _DIRECTION_OVERRIDES.isdisjoint(text)
    )
