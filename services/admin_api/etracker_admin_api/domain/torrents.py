"""Uploaded torrent files: parsed strictly, made private, stripped of everybody else's trackers.

What an upload keeps outside its info dictionary: ``comment``, ``created by``, ``creation date``,
``encoding`` and ``piece layers``. Everything else goes, as at any private tracker: ``announce`` and
``announce-list`` (a peer must come from here), ``nodes`` (the DHT), ``url-list`` and ``httpseeds``
(web seeds see addresses and bypass the statistics), and whatever else a client added.
"""

import hashlib
from dataclasses import dataclass

from etracker_admin_api.domain import fields
from etracker_admin_api.domain.bencoding import decode_torrent, encode_torrent
from etracker_admin_api.domain.errors import TorrentError
from etracker_admin_api.domain.fields import Dictionary
from etracker_admin_api.domain.names import parse_component
from etracker_admin_api.domain.v1 import Layout, parse_v1
from etracker_admin_api.domain.v2 import BLOCK_BYTES, parse_v2
from etracker_shared.identity import InfoHash

MAX_PIECE_LENGTH = 512 * 1024 * 1024
_KEPT_TEXTS = (b"comment", b"created by", b"encoding")
_MAX_TEXT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Torrent:
    """A torrent fit to be tracked.

    ``file``: what to store, private and without trackers. ``v1``: 20 bytes, ``v2``: 32 bytes; a
    hybrid has both. ``length``: bytes of content. ``made_private``: the upload had no ``private=1``,
    so its infohash has changed.
    """

    name: str
    length: int
    file: bytes
    v1: InfoHash | None
    v2: bytes | None
    made_private: bool

    @property
    def info_hashes(self) -> tuple[InfoHash, ...]:
        """What clients announce (20 bytes each): v1 first, v2 truncated."""
        truncated = None if self.v2 is None else InfoHash(self.v2[:20])
        return tuple(info_hash for info_hash in (self.v1, truncated) if info_hash is not None)


def parse_torrent(data: bytes) -> Torrent:
    """Parse an uploaded torrent file.

    Raises:
        TorrentError: the file isn't accepted; the message says why in one sentence.
    """
    upload = decode_torrent(data)
    info = fields.dictionary(upload.get(b"info"), "The info dictionary")
    name = parse_component(info.get(b"name", b""), "The name of the torrent")
    layout = _parse_layout(upload, info, name)
    if not layout.length:
        raise TorrentError("The torrent has no content.")
    made_private = info.get(b"private") != 1
    private_info = {**info, b"private": 1}
    encoded_info = encode_torrent(private_info)
    return Torrent(
        name=name,
        length=layout.length,
        file=encode_torrent({**_kept(upload), b"info": private_info}),
        v1=InfoHash(hashlib.sha1(encoded_info).digest()) if b"pieces" in info else None,  # noqa: S324 - BEP 3
        v2=hashlib.sha256(encoded_info).digest() if b"meta version" in info else None,
        made_private=made_private,
    )


def strip_file(file: bytes) -> bytes:
    """Return a torrent file that an operator stored, reduced to what uploads keep; its info dictionary stays as it is.

    Raises:
        TorrentError: the file isn't a torrent.
    """
    stored = decode_torrent(file)
    fields.dictionary(stored.get(b"info"), "The info dictionary")
    return encode_torrent({**_kept(stored), b"info": stored[b"info"]})


def personal_start(announce_url: str) -> bytes:
    """Return what replaces the first byte of a stripped file to make its only tracker somebody's announce URL.

    ``announce`` sorts before every key that a stripped file has, so the rest of the file is sent as it is stored.
    """
    url = announce_url.encode()
    return b"d8:announce%d:%b" % (len(url), url)


def _parse_layout(upload: Dictionary, info: Dictionary, name: str) -> Layout:
    piece_length = fields.length(info.get(b"piece length"), "The field piece length")
    if not BLOCK_BYTES <= piece_length <= MAX_PIECE_LENGTH:
        raise TorrentError("The piece length isn't between 16 KiB and 512 MiB.")
    version = info.get(b"meta version")
    if version is None:
        return parse_v1(info, name, piece_length)
    if version != 2:
        raise TorrentError("The meta version isn't 2.")
    v2 = parse_v2(info, upload.get(b"piece layers"), piece_length)
    if b"pieces" in info:
        _check_hybrid(parse_v1(info, name, piece_length), v2, piece_length)
    elif b"files" in info or b"length" in info:
        raise TorrentError("The torrent has v1 files but no v1 pieces.")
    return v2


def _check_hybrid(v1: Layout, v2: Layout, piece_length: int) -> None:
    """Check that both halves describe the same files, each starting at a piece (BEP 52)."""
    if [(file.path, file.length) for file in v1.files] != [(file.path, file.length) for file in v2.files]:
        raise TorrentError("The v1 and v2 halves of the torrent describe different files.")
    if any(file.length and file.offset % piece_length for file in v1.files):
        raise TorrentError("A file of the hybrid torrent doesn't start at a piece.")


def _kept(upload: Dictionary) -> Dictionary:
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
