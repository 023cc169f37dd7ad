"""The parts of a torrent file that are kept, and how a copy gets a user's announce URL.

Outside the info dictionary these fields are kept: ``comment``, ``created by``, ``creation date``, ``encoding`` and
``piece layers``. Everything else is removed, as private trackers do: ``announce`` and ``announce-list`` (peers come
from this tracker), ``nodes`` (the DHT), ``url-list`` and ``httpseeds`` (web seeds see addresses and bypass the
statistics), and whatever else a client added.
"""

from etracker_admin_api.torrent_file import fields
from etracker_admin_api.torrent_file.bencoding import decode_torrent, encode_torrent
from etracker_admin_api.torrent_file.fields import Dictionary

_KEPT_TEXTS = (b"comment", b"created by", b"encoding")
_MAX_TEXT_BYTES = 4096


def strip_file(file: bytes) -> bytes:
    """Reduce a torrent file that an operator stored to what uploads keep, with its info dictionary unchanged.

    Raises:
        TorrentError: the file isn't a torrent.
    """
    stored = decode_torrent(file)
    fields.dictionary(stored.get(b"info"), "The info dictionary")
    return encode_torrent({**kept_fields(stored), b"info": stored[b"info"]})


def personal_start(announce_url: str) -> bytes:
    """Return the bytes that replace a stripped file's first byte to make an announce URL its only tracker.

    ``announce`` sorts before every key in a stripped file, so the rest of the file is sent as stored.
    """
    url = announce_url.encode()
    return b"d8:announce%d:%b" % (len(url), url)


def kept_fields(upload: Dictionary) -> Dictionary:
    """Return what is kept outside the info dictionary."""
    kept: Dictionary = {}
    for key in _KEPT_TEXTS:
        value = upload.get(key)
        if isinstance(value, bytes) and len(value) <= _MAX_TEXT_BYTES:
            kept[key] = value
    if isinstance(upload.get(b"creation date"), int):
        kept[b"creation date"] = upload[b"creation date"]
    if isinstance(upload.get(b"piece layers"), dict):
        kept[b"piece layers"] = upload[b"piece layers"]
    return kept
