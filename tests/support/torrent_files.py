"""Torrent files put together by hand, so that a test can put each field wrong."""

import hashlib
from typing import Any

from fastbencode import bencode

PIECE = 32 * 1024


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
