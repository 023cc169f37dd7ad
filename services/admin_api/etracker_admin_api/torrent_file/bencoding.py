"""Bencoding of torrent files: as lenient as clients where nothing is ambiguous, and bounded.

Clients accept dictionaries whose keys aren't sorted, and ignore bytes after the end. They hash the info dictionary as
it is in the file, so its bytes are kept. A repeated key is refused where it matters, since clients differ in which of
its values they use.

Deep nesting costs an attacker two bytes per level and would exhaust a recursive decoder, so nothing here is recursive.
Integers are limited to 19 digits, since a megabyte of digits would exhaust a decoder as well.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from fastbencode import bencode

from etracker_admin_api.errors import TorrentError, TorrentTooLargeError
from etracker_admin_api.torrent_file.contents import describe_contents
from etracker_admin_api.torrent_file.names import quote

MAX_TORRENT_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 99
"""libtorrent only opens torrents that are nested less deeply than 100."""
MAX_TOKENS = 2_000_000
"""Strings, integers, lists, dictionaries and their ends: this bounds the memory of the decoded file."""

_TOKEN = re.compile(rb"(0|[1-9][0-9]{0,8}):|i(?:0|-?[1-9][0-9]{0,18})e|[dle]")
_START_OF_TOKEN = re.compile(rb"[0-9]{0,9}|i-?[0-9]{0,19}")
_UNAMBIGUOUS = (b"info", b"piece layers")
"""Keys of the file that must not be repeated, nor contain repeated keys in their values."""

Dictionary = dict[bytes, object]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A torrent file. ``info`` is its info dictionary as it is in the file; ``extra_bytes`` came after the end."""

    fields: Dictionary
    info: bytes
    info_is_sorted: bool
    extra_bytes: int


def decode_torrent(data: bytes) -> Decoded:
    """Decode a torrent file.

    Raises:
        TorrentError: too large, not a torrent, damaged, nested too deeply, or ambiguous.
    """
    if len(data) > MAX_TORRENT_BYTES:
        raise TorrentTooLargeError(too_large_message())
    if not re.match(rb"d(?:[0-9]|e|\Z)", data):
        raise TorrentError(describe_contents(data))
    return _Reader(data).read()


def encode(value: object) -> bytes:
    """Encode a value, with sorted keys."""
    encoded: bytes = bencode(value)
    return encoded


def too_large_message() -> str:
    """Return the message about a file that is too large and hasn't been read."""
    return (
        f"The file is larger than {MAX_TORRENT_BYTES // 1024 // 1024} MiB. Upload the .torrent file, not the files it"
        " describes; if it is a torrent, create it again with larger pieces."
    )


class _Open:
    """A list or dictionary whose end hasn't been read yet."""

    __slots__ = ("key", "last_key", "value")

    def __init__(self, value: Dictionary | list[object]) -> None:
        self.value = value
        self.key: bytes | None = None
        self.last_key = b""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._fields: Dictionary = {}
        self._open: list[_Open] = []
        self._position = 0
        self._section: bytes | None = None
        self._info_start = self._info_end = 0
        self._info_is_sorted = True

    def read(self) -> Decoded:
        for _ in range(MAX_TOKENS):
            self._read_token()
            if not self._open:
                break
        else:
            raise TorrentError("The torrent has too many parts. Create it again with fewer files.")
        info, extra_bytes = self._data[self._info_start : self._info_end], len(self._data) - self._position
        return Decoded(self._fields, info, self._info_is_sorted, extra_bytes)

    def _read_token(self) -> None:
        start = self._position
        token = _TOKEN.match(self._data, start)
        if token is None:
            self._refuse_bytes()
        self._position = token.end()
        match self._data[start]:
            case 0x64 | 0x6C:
                self._begin({} if self._data[start] == 0x64 else [], start)
            case 0x65:
                self._end()
            case 0x69:
                self._add(int(token[0][1:-1]))
            case _:
                self._add(self._string(int(token[1])))

    def _string(self, length: int) -> bytes:
        end = self._position + length
        value = self._data[self._position : end]
        if end > len(self._data):
            self._refuse_end()
        self._position = end
        return value

    def _begin(self, value: Dictionary | list[object], start: int) -> None:
        if not self._open:
            self._fields = value if isinstance(value, dict) else {}
        else:
            if len(self._open) == 1 and self._section == b"info":
                self._info_start = start
            self._add(value)
        self._open.append(_Open(value))
        if len(self._open) > MAX_DEPTH:
            raise TorrentError(
                "The torrent is nested too deeply for clients. Create it again with fewer levels of folders."
            )

    def _end(self) -> None:
        ended = self._open.pop()
        if ended.key is not None:
            raise TorrentError(f"The torrent is damaged: its key {quote(ended.key)} has no value. Download it again.")
        if len(self._open) == 1 and self._section == b"info":
            self._info_end = self._position

    def _add(self, value: object) -> None:
        parent = self._open[-1]
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key is not None:
            parent.value[parent.key] = value
            parent.key = None
        else:
            self._begin_key(parent, parent.value, value)

    def _begin_key(self, parent: _Open, holder: Dictionary, key: object) -> None:
        if not isinstance(key, bytes):
            raise TorrentError(
                f"The torrent is damaged: before byte {self._position} there is a key that isn't a string."
                " Download it again."
            )
        if len(self._open) == 1:
            self._section = key
        if self._section in _UNAMBIGUOUS:
            self._check_order(parent, holder, key)
        parent.key = parent.last_key = key

    def _check_order(self, parent: _Open, holder: Dictionary, key: bytes) -> None:
        if key in holder:
            raise TorrentError(
                f"The torrent has the key {quote(key)} twice in one dictionary, and clients differ in which they read."
                " Create the torrent again with another program."
            )
        if key < parent.last_key and len(self._open) > 1 and self._section == b"info":
            self._info_is_sorted = False

    def _refuse_bytes(self) -> NoReturn:
        if _START_OF_TOKEN.fullmatch(self._data, self._position):
            self._refuse_end()
        raise TorrentError(
            f"The torrent is damaged: its bencoding is malformed at byte {self._position}. Download it again."
        )

    def _refuse_end(self) -> NoReturn:
        raise TorrentError(
            f"The torrent is incomplete: it ends after {len(self._data)} bytes, in the middle of a value."
            " Download it again."
        )
