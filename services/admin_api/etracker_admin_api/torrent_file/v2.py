"""The v2 half of a torrent: ``file tree`` and ``piece layers``. Source: BEP 52."""

import hashlib
from collections.abc import Iterator

from etracker_admin_api.errors import TorrentError, UnfitPartError
from etracker_admin_api.torrent_file import fields
from etracker_admin_api.torrent_file.bencoding import Dictionary
from etracker_admin_api.torrent_file.fields import Path
from etracker_admin_api.torrent_file.names import parse_part, quote_path
from etracker_admin_api.torrent_file.tree import check_collisions
from etracker_admin_api.torrent_file.v1 import File, Layout

BLOCK_BYTES = 16 * 1024
_SHA256_BYTES = 32


def parse_v2(info: Dictionary, upload: Dictionary, piece_length: int) -> Layout:
    """Parse the file tree, in its order, and check every file's piece layer against its root.

    Raises:
        TorrentError: fields are missing, out of range or contradict each other.
    """
    if piece_length < BLOCK_BYTES or piece_length & (piece_length - 1):
        fields.refuse("piece length", "must be a power of two of at least 16 KiB in a v2 torrent")
    layers = fields.dictionary(upload, "piece layers") if b"piece layers" in upload else {}
    files: list[File] = []
    roots: set[bytes] = set()
    for path, entry in _walk(fields.dictionary(info, "file tree")):
        files.append(_file(path, entry))
        if len(files) > fields.MAX_FILES:
            raise TorrentError(f"The torrent has more than {fields.MAX_FILES} files. Pack some of them into archives.")
        if files[-1].length:
            roots |= _check_root(files[-1], entry, piece_length, layers)
    if set(layers) != roots:
        fields.refuse("piece layers", "has the layer of a file that isn't in the torrent")
    if sum(-(-file.length // piece_length) for file in files) * piece_length > fields.MAX_TOTAL_BYTES:
        raise TorrentError(
            "The torrent's files are larger than 256 TiB, more than clients take. Make several torrents."
        )
    check_collisions([file.path for file in files])
    return Layout(tuple(files))


def _file(path: Path, entry: Dictionary) -> File:
    attributes = fields.attributes(entry, path)
    if b"p" in attributes:
        fields.refuse("attr", "calls a v2 file padding, which only v1 has", path)
    if b"symlink path" in entry:
        fields.parts(entry[b"symlink path"], "symlink path", path)
    return File(path, 0 if b"l" in attributes else fields.length(entry, path))


def _walk(tree: Dictionary) -> Iterator[tuple[Path, Dictionary]]:
    """Yield every file with its path, depth first in the order of the keys, without recursion."""
    stack: list[tuple[Path, object]] = [((), tree)]
    while stack:
        path, node = stack.pop()
        if not isinstance(node, dict):
            raise TorrentError(f'{quote_path(path)} in the key "file tree" isn\'t a dictionary. {fields.CREATE_AGAIN}')
        if path and b"" in node:
            yield path, _leaf(path, node)
            continue
        if len(path) >= fields.MAX_PATH_DEPTH:
            raise TorrentError(f"The path {quote_path(path)} has too many parts. Use fewer levels of folders.")
        stack.extend((_child(path, key), node[key]) for key in sorted(node, reverse=True))


def _leaf(path: Path, node: Dictionary) -> Dictionary:
    if len(node) > 1:
        raise TorrentError(f"{quote_path(path)} is both a file and a folder. {fields.CREATE_AGAIN}")
    return fields.dictionary(node, "", path)


def _child(path: Path, key: bytes) -> Path:
    try:
        return (*path, parse_part(key))
    except UnfitPartError as error:
        raise fields.unfit_path((*path, key), "file tree", error) from None


def _check_root(file: File, entry: Dictionary, piece_length: int, layers: Dictionary) -> set[bytes]:
    """Check a file's root; return it in a set, which is empty if the root needs no piece layer."""
    root = fields.string(entry, "pieces root", file.path)
    if len(root) != _SHA256_BYTES or not any(root):
        fields.refuse("pieces root", "isn't a hash", file.path)
    if file.length <= piece_length:
        return set()
    layer = layers.get(root)
    if not isinstance(layer, bytes):
        fields.refuse("piece layers", "lacks the piece layer", file.path)
    if len(layer) != -(-file.length // piece_length) * _SHA256_BYTES:
        fields.refuse("piece layers", "doesn't match the size", file.path)
    if merkle_root(layer, piece_length) != root:
        fields.refuse("piece layers", "doesn't hash to the root", file.path)
    return {root}


def merkle_root(layer: bytes, piece_length: int) -> bytes:
    """Hash a piece layer (32 bytes per piece) up to its root, padded with pieces of zero blocks."""
    pad = bytes(_SHA256_BYTES)
    for _ in range((piece_length // BLOCK_BYTES).bit_length() - 1):
        pad = hashlib.sha256(pad + pad).digest()
    hashes = [layer[at : at + _SHA256_BYTES] for at in range(0, len(layer), _SHA256_BYTES)]
    while len(hashes) > 1:
        if len(hashes) % 2:
            hashes.append(pad)
        hashes = [hashlib.sha256(left + right).digest() for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
        pad = hashlib.sha256(pad + pad).digest()
    return hashes[0]
