"""Uploaded torrent files: parsed, and made private."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file import fields
from etracker_admin_api.torrent_file.bencoding import Decoded, Dictionary, decode_torrent, encode
from etracker_admin_api.torrent_file.contents import describe_without_info
from etracker_admin_api.torrent_file.hybrid import check_halves
from etracker_admin_api.torrent_file.names import quote
from etracker_admin_api.torrent_file.rewriting import stripped
from etracker_admin_api.torrent_file.v1 import Layout, parse_v1
from etracker_admin_api.torrent_file.v2 import parse_v2
from etracker_shared.language.identity import InfoHash

MAX_PIECE_LENGTH = (2**15 - 1) * 16 * 1024
"""libtorrent's limit, just below 512 MiB."""


@dataclass(frozen=True, slots=True)
class ParsedTorrent:
    """An accepted torrent.

    ``name``: as clients show it. ``file``: the file to store, private and without trackers. ``v1``: 20 bytes, ``v2``:
    32 bytes; a hybrid has both. ``length``: bytes of content, ``piece_length``: bytes of a piece. ``made_private``: the
    upload wasn't private, so its infohash has changed. ``remarks``: one sentence for each other part of the upload that
    was changed or is shown differently.
    """

    name: str
    length: int
    piece_length: int
    file: bytes
    v1: InfoHash | None
    v2: bytes | None
    made_private: bool
    remarks: tuple[str, ...] = ()

    @property
    def info_hashes(self) -> tuple[InfoHash, ...]:
        """The infohashes that clients announce (20 bytes each): v1 first, v2 truncated."""
        truncated = None if self.v2 is None else InfoHash(self.v2[:20])
        return tuple(info_hash for info_hash in (self.v1, truncated) if info_hash is not None)


def parse_torrent(data: bytes) -> ParsedTorrent:
    """Parse an uploaded torrent file. The info dictionary of a private one is kept byte for byte.

    Raises:
        TorrentError: the file isn't accepted; the message says why, which key or file it's about, and what to do.
    """
    upload = decode_torrent(data)
    if b"info" not in upload.fields:
        raise TorrentError(describe_without_info(frozenset(upload.fields)))
    info = fields.dictionary(upload.fields, "info")
    name = fields.name(info)
    layout = _parse_layout(upload, info, name)
    if not layout.length:
        raise TorrentError("The torrent has no content: its files are empty or padding. Choose another torrent.")
    made_private = info.get(b"private") != 1
    kept_info = encode({**info, b"private": 1}) if made_private else upload.info
    return ParsedTorrent(
        name=name,
        length=layout.length,
        piece_length=fields.number(info, "piece length"),
        file=stripped(upload.fields, kept_info),
        v1=InfoHash(hashlib.sha1(kept_info).digest()) if b"pieces" in info else None,  # noqa: S324 - BEP 3
        v2=hashlib.sha256(kept_info).digest() if info.get(b"meta version") == 2 else None,
        made_private=made_private,
        remarks=tuple(_remarks(upload, info, name, made_private=made_private)),
    )


def _parse_layout(upload: Decoded, info: Dictionary, name: str) -> Layout:
    piece_length = fields.number(info, "piece length")
    if not 0 < piece_length <= MAX_PIECE_LENGTH:
        fields.refuse("piece length", "must be positive and less than 512 MiB")
    version = fields.number(info, "meta version") if b"meta version" in info else 0
    if version > 0 and not upload.info_is_sorted:
        raise TorrentError(f"The keys of the info dictionary aren't sorted, as v2 requires. {fields.CREATE_AGAIN}")
    if version > 2:
        fields.refuse("meta version", "is newer than 2, the newest that clients open")
    if version < 2:
        if b"file tree" in info:
            fields.refuse("meta version", 'must be 2, because there is a key "file tree"')
        return parse_v1(info, name, piece_length)
    v2 = parse_v2(info, upload.fields, piece_length)
    if b"pieces" in info:
        check_halves(parse_v1(info, name, piece_length), v2, piece_length)
    elif b"files" in info or b"length" in info:
        fields.refuse("pieces", "is missing, though the torrent has v1 files")
    return v2


def _remarks(upload: Decoded, info: Dictionary, name: str, *, made_private: bool) -> Iterator[str]:
    if upload.extra_bytes:
        yield f"Bytes after its end were removed: {upload.extra_bytes}."
    if made_private and not upload.info_is_sorted:
        yield "The keys of its info dictionary were sorted."
    raw = info.get(b"name.utf-8", info.get(b"name"))
    if isinstance(raw, bytes) and raw != name.encode():
        yield f"Its name isn't UTF-8, so most clients show it as {quote(name)}: rename it here for the lists."
