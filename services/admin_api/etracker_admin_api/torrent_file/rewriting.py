"""The parts of a torrent file that are kept, and how a copy gets a user's announce URL.

Outside the info dictionary these fields are kept: ``comment``, ``created by``, ``creation date``, ``encoding`` and
``piece layers``. Everything else is removed, as private trackers do: ``announce`` and ``announce-list`` (peers come
from this tracker), ``nodes`` (the DHT), ``url-list`` and ``httpseeds`` (web seeds see addresses and bypass the
statistics), and whatever else a client added.
"""

from dataclasses import dataclass

from etracker_admin_api.torrent_file import fields
from etracker_admin_api.torrent_file.bencoding import Dictionary, decode_torrent, encode

_KEPT_TEXTS = (b"comment", b"created by", b"encoding")
_MAX_TEXT_BYTES = 4096
_MAX_PIECE_LENGTH = 2**40
"""More than that is nonsense; a file that an operator stored can contain anything."""


@dataclass(frozen=True, slots=True)
class StrippedFile:
    """A stored torrent file, reduced. ``piece_length``: bytes, None if it has no sensible one. ``private``: BEP 27."""

    file: bytes
    piece_length: int | None
    private: bool


def strip_file(file: bytes) -> StrippedFile:
    """Reduce a torrent file that an operator stored to what uploads keep, with its info dictionary unchanged.

    Raises:
        TorrentError: the file isn't a torrent.
    """
    stored = decode_torrent(file)
    info = fields.dictionary(stored.fields, "info")
    length = info.get(b"piece length")
    return StrippedFile(
        file=stripped(stored.fields, stored.info),
        piece_length=length if isinstance(length, int) and 0 < length <= _MAX_PIECE_LENGTH else None,
        private=info.get(b"private") == 1,
    )


def stripped(upload: Dictionary, info: bytes) -> bytes:
    """Encode the kept parts of an upload, with an info dictionary that is already encoded."""
    texts, layers = _kept_texts(upload), upload.get(b"piece layers")
    after = b"12:piece layers" + encode(layers) if isinstance(layers, dict) else b""
    return b"%b4:info%b%be" % (encode(texts)[:-1], info, after)


def personal_start(announce_url: str) -> bytes:
    """Return the bytes that replace a stripped file's first byte to make an announce URL its only tracker.

    ``announce`` sorts before every key in a stripped file, so the rest of the file is sent as stored.
    """
    url = announce_url.encode()
    return b"d8:announce%d:%b" % (len(url), url)


def _kept_texts(upload: Dictionary) -> Dictionary:
    """Return the kept fields that sort before the info dictionary."""
    kept: Dictionary = {}
    for key in _KEPT_TEXTS:
        value = upload.get(key)
        if isinstance(value, bytes) and len(value) <= _MAX_TEXT_BYTES:
            kept[key] = value
    if isinstance(upload.get(b"creation date"), int):
        kept[b"creation date"] = upload[b"creation date"]
    return kept
