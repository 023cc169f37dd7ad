"""Uploaded torrent files: parsed strictly and made private."""

import hashlib
from dataclasses import dataclass

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file import fields
from etracker_admin_api.torrent_file.bencoding import decode_torrent, encode_torrent
from etracker_admin_api.torrent_file.fields import Dictionary
from etracker_admin_api.torrent_file.names import parse_component
from etracker_admin_api.torrent_file.rewriting import kept_fields
from etracker_admin_api.torrent_file.v1 import Layout, parse_v1
from etracker_admin_api.torrent_file.v2 import BLOCK_BYTES, parse_v2
from etracker_shared.language.identity import InfoHash

MAX_PIECE_LENGTH = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ParsedTorrent:
    """An accepted torrent.

    ``file``: the file to store, private and without trackers. ``v1``: 20 bytes, ``v2``: 32 bytes; a hybrid has
    both. ``length``: bytes of content. ``made_private``: the upload wasn't private, so its infohash has changed.
    """

    name: str
    length: int
    file: bytes
    v1: InfoHash | None
    v2: bytes | None
    made_private: bool

    @property
    def info_hashes(self) -> tuple[InfoHash, ...]:
        """The infohashes that clients announce (20 bytes each): v1 first, v2 truncated."""
        truncated = None if self.v2 is None else InfoHash(self.v2[:20])
        return tuple(info_hash for info_hash in (self.v1, truncated) if info_hash is not None)


def parse_torrent(data: bytes) -> ParsedTorrent:
    """Parse an uploaded torrent file.

    Raises:
        TorrentError: the file isn't accepted; the message says why in one sentence.
    """
    upload = decode_torrent(data)
    info = fields.dictionary(upload.get(b"info"), "The info dictionary")
    name = parse_component(info.get(b"name", b""), "The torrent's name")
    layout = _parse_layout(upload, info, name)
    if not layout.length:
        raise TorrentError("The torrent has no content.")
    made_private = info.get(b"private") != 1
    private_info = {**info, b"private": 1}
    encoded_info = encode_torrent(private_info)
    return ParsedTorrent(
        name=name,
        length=layout.length,
        file=encode_torrent({**kept_fields(upload), b"info": private_info}),
        v1=InfoHash(hashlib.sha1(encoded_info).digest()) if b"pieces" in info else None,  # noqa: S324 - BEP 3
        v2=hashlib.sha256(encoded_info).digest() if b"meta version" in info else None,
        made_private=made_private,
    )


def _parse_layout(upload: Dictionary, info: Dictionary, name: str) -> Layout:
    piece_length = fields.length(info.get(b"piece length"), "The piece length field")
    if not BLOCK_BYTES <= piece_length <= MAX_PIECE_LENGTH:
        raise TorrentError("The piece length must be between 16 KiB and 512 MiB.")
    version = info.get(b"meta version")
    if version is None:
        return parse_v1(info, name, piece_length)
    if version != 2:
        raise TorrentError("The meta version must be 2.")
    v2 = parse_v2(info, upload.get(b"piece layers"), piece_length)
    if b"pieces" in info:
        _check_hybrid(parse_v1(info, name, piece_length), v2, piece_length)
    elif b"files" in info or b"length" in info:
        raise TorrentError("The torrent has v1 files but no v1 pieces.")
    return v2


def _check_hybrid(v1: Layout, v2: Layout, piece_length: int) -> None:
    """Check that both halves describe the same files, each starting at a piece boundary. Source: BEP 52."""
    if [(file.path, file.length) for file in v1.files] != [(file.path, file.length) for file in v2.files]:
        raise TorrentError("The v1 and v2 halves of the torrent describe different files.")
    if any(file.length and file.offset % piece_length for file in v1.files):
        raise TorrentError("A file in the hybrid torrent doesn't start at a piece boundary.")
