"""Names chosen by uploaders: what may be stored, shown, and written to a disk."""

import codecs
import re
import unicodedata
from collections.abc import Sequence

from etracker_admin_api.errors import UnfitNameError, UnfitPartError

MAX_NAME_BYTES = 1024
MAX_PART_LETTERS = 255
"""The limit of NTFS and APFS. File systems that count bytes allow fewer, and clients shorten names for them."""

BITCOMET_PAD = "_____padding_file_"
"""Occurs in the paths of BitComet's padding files, which lack the attribute of BEP 47."""

INVISIBLE = re.compile("[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
"""What libtorrent leaves out of names. Some scripts and emoji need it, so only a name of nothing else is refused."""

_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTION_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make ``gpj.exe`` look like ``exe.jpg``."""

_SEPARATORS = re.compile(r"[/\\]")
_ABSOLUTE = re.compile(r"/|\\\\|[A-Za-z]:[/\\]")
_OVERLONG = ((b"\xc0\xae", b"."), (b"\xc0\xaf", b"/"))
"""Careless decoders of UTF-8 read a dot and a slash from these bytes."""
_QUOTED_LETTERS = 120
_UNDERSCORE = "torrent-file-underscore"


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


def parse_part(raw: object, *, may_be_pad: bool = True) -> str:
    """Parse the torrent's name, or one part of a path in it, and return it as clients show it.

    Names in other encodings are accepted; clients that know only UTF-8 show ``_`` for what they can't read. Slashes,
    and characters that some file systems can't store, are accepted too: clients replace them.

    Raises:
        UnfitPartError: it isn't a string, is too long, or could make a client write outside the torrent's folder or
            mislead a reader.
    """
    if not isinstance(raw, bytes):
        raise UnfitPartError("isn't a string")
    readings = _readings(raw)
    for reading in readings:
        _check_reading(reading)
    if len(readings[0]) > MAX_PART_LETTERS * len(readings):  # with several readings, two bytes may be one letter
        raise UnfitPartError(f"is longer than {MAX_PART_LETTERS} letters")
    if BITCOMET_PAD in readings[0] and not may_be_pad:
        raise UnfitPartError("is one that clients take for padding")
    return readings[0]


def _readings(raw: bytes) -> list[str]:
    """Return how clients read a name: libtorrent's reading and, if it isn't UTF-8, that of other clients."""
    part = shown(raw)
    return [part] if part.encode() == raw else [part, _read_carelessly(raw)]


def _check_reading(part: str) -> None:
    visible = INVISIBLE.sub("", part)
    if not visible.strip():
        raise UnfitPartError("is empty or blank")
    if ".." in _SEPARATORS.split(visible) or _ABSOLUTE.match(visible):
        raise UnfitPartError("points outside the torrent's folder")
    if _SEPARATORS.sub("", visible) in {"", ".", ".."}:
        raise UnfitPartError("isn't a name")
    if _has_trickery(part):
        raise UnfitPartError("contains control characters, or invisible ones that reorder text")


def shown(raw: bytes) -> str:
    """Decode a name as clients built on libtorrent do: what isn't UTF-8 becomes ``_``."""
    return raw.decode(errors=_UNDERSCORE)


def _skip_as_libtorrent(error: UnicodeError) -> tuple[str, int]:
    """Skip the length that the first byte indicates."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - only decoding uses it
    first = error.object[error.start]
    length = next(
        (length for length, below in ((1, 0xC0), (2, 0xE0), (3, 0xF0), (4, 0xF8), (5, 0xFC)) if first < below), 1
    )
    return "_", min(error.start + length, len(error.object))


codecs.register_error(_UNDERSCORE, _skip_as_libtorrent)


def quote(name: bytes | str) -> str:
    """Quote a name for a sentence: shortened, and with everything invisible escaped."""
    text = shown(name) if isinstance(name, bytes) else name
    if len(text) > _QUOTED_LETTERS:
        text = f"{text[: _QUOTED_LETTERS // 2]}…{text[-_QUOTED_LETTERS // 2 :]}"
    visible = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
    return f'"{visible}"'


def quote_path(path: Sequence[object]) -> str:
    """Quote a path for a sentence, whatever its parts are."""
    return quote("/".join(_shown_part(part) for part in path))


def _shown_part(part: object) -> str:
    if isinstance(part, bytes):
        return shown(part)
    return part if isinstance(part, str) else "?"


def _read_carelessly(raw: bytes) -> str:
    for overlong, plain in _OVERLONG:
        raw = raw.replace(overlong, plain)
    return raw.decode(errors="replace")


def _has_trickery(text: str) -> bool:
    if text.isascii() and text.isprintable():
        return False
    return any(unicodedata.category(character) in _INVISIBLE_CATEGORIES for character in text) or not (
        _DIRECTION_OVERRIDES.isdisjoint(text)
    )
