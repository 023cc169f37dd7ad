"""Torrent files built by hand, so that a test can get each field wrong."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import libtorrent
from fastbencode import bencode

from etracker_admin_api.torrent_file.parsing import ParsedTorrent
from etracker_admin_api.torrent_file.rewriting import personal_start

PIECE = 32 * 1024
BLOCK = 16 * 1024


class InOrder(list[tuple[bytes, Any]]):
    """A dictionary that is encoded in this order, unsorted."""


def encode(value: Any) -> bytes:
    """Encode a value that may contain unsorted dictionaries."""
    if isinstance(value, InOrder):
        return b"d" + b"".join(encode(key) + encode(one) for key, one in value) + b"e"
    if isinstance(value, dict):
        return encode(InOrder(sorted(value.items())))
    if isinstance(value, list):
        return b"l" + b"".join(map(encode, value)) + b"e"
    encoded: bytes = bencode(value)
    return encoded


def v1_info(**changes: Any) -> dict[bytes, Any]:
    info: dict[bytes, Any] = {
        b"name": b"a film.mkv",
        b"piece length": PIECE,
        b"length": 100_000,
        b"pieces": bytes(4 * 20),
        b"private": 1,
    }
    return changed(info, changes)


def folder_info(*files: tuple[list[bytes], int], **changes: Any) -> dict[bytes, Any]:
    total = sum(length for _path, length in files)
    info = v1_info(length=None, pieces=bytes(-(-total // PIECE) * 20))
    info[b"files"] = [{b"path": path, b"length": length} for path, length in files]
    return changed(info, changes)


def v2_info(**changes: Any) -> dict[bytes, Any]:
    info: dict[bytes, Any] = {
        b"name": b"a film.mkv",
        b"piece length": PIECE,
        b"meta version": 2,
        b"private": 1,
        b"file tree": {b"a film.mkv": {b"": {b"length": 100, b"pieces root": hashlib.sha256(b"leaf").digest()}}},
    }
    return changed(info, changes)


def changed(info: dict[bytes, Any], changes: dict[str, Any]) -> dict[bytes, Any]:
    """Set fields, underscores standing for spaces; None removes one."""
    for name, value in changes.items():
        key = name.replace("_", " ").encode()
        if value is None:
            info.pop(key, None)
        else:
            info[key] = value
    return info


def torrent(info: object, **outside: Any) -> bytes:
    encoded: bytes = bencode(changed({b"info": info}, outside))
    return encoded


def many_info(*entries: dict[bytes, Any], **changes: Any) -> dict[bytes, Any]:
    """Return the info dictionary of a folder whose entries in ``files`` are given as they are."""
    total = sum(stream_bytes(entry) for entry in entries)
    return changed({**folder_info(([b"a"], total)), b"files": list(entries)}, changes)


def stream_bytes(entry: dict[bytes, Any]) -> int:
    """Return how many bytes of the pieces an entry takes: none if it's a link or has no valid length."""
    length, attributes = entry.get(b"length"), entry.get(b"attr")
    is_link = isinstance(attributes, bytes) and b"l" in attributes
    return length if isinstance(length, int) and not is_link else 0


def v2_torrent(
    contents: Mapping[bytes, bytes], links: Mapping[bytes, dict[bytes, Any]] | None = None
) -> dict[bytes, Any]:
    """Return a v2 torrent of files in one folder, in pieces of one block."""
    tree: dict[bytes, Any] = {name: {b"": entry} for name, entry in (links or {}).items()}
    layers = {}
    for name, content in contents.items():
        hashes = [hashlib.sha256(content[at : at + BLOCK]).digest() for at in range(0, len(content), BLOCK)]
        root = merkle(hashes)
        tree[name] = {b"": {b"length": len(content), **({b"pieces root": root} if content else {})}}
        if len(hashes) > 1:
            layers[root] = b"".join(hashes)
    info = {b"file tree": tree, b"meta version": 2, b"name": b"folder", b"piece length": BLOCK, b"private": 1}
    return {b"info": info, b"piece layers": layers}


def merkle(hashes: Sequence[bytes]) -> bytes:
    padded = [*hashes, *[bytes(32)] * ((1 << (len(hashes) - 1).bit_length()) - len(hashes))] if hashes else [b""]
    while len(padded) > 1:
        padded = [hashlib.sha256(padded[at] + padded[at + 1]).digest() for at in range(0, len(padded), 2)]
    return padded[0]


def hybrid_torrent(
    contents: Mapping[bytes, bytes], *, last_pad: bool = False, pad: dict[bytes, Any] | None = None
) -> dict[bytes, Any]:
    """Return a hybrid of files in one folder. ``pad``: what the entry of a pad has besides its length."""
    made, names = v2_torrent(contents), sorted(contents)
    listed: list[dict[bytes, Any]] = []
    for name in names:
        size = len(contents[name])
        listed.append({b"length": size, b"path": [name]})
        if size % BLOCK and (last_pad or name != names[-1]):
            listed.append({b"attr": b"p", b"length": -size % BLOCK, **(pad or {})})
    pieces = bytes(20 * -(-sum(file[b"length"] for file in listed) // BLOCK))
    made[b"info"].update({b"files": listed, b"pieces": pieces})
    return made


def opened(parsed: ParsedTorrent) -> libtorrent.torrent_info:
    """Open what is handed out in libtorrent, and check that it sees what the tracker says."""
    read = libtorrent.load_torrent_buffer(personal_start("http://tracker.test/key/announce") + parsed.file[1:])
    assert read.ti is not None
    hashes = read.ti.info_hashes()
    assert parsed.v1 == (hashes.v1.to_bytes() if hashes.has_v1() else None)
    assert parsed.v2 == (hashes.v2.to_bytes() if hashes.has_v2() else None)
    assert read.ti.priv()
    assert parsed.length == read.ti.size_on_disk()  # without pads
    assert read.trackers == ["http://tracker.test/key/announce"]
    return read.ti
