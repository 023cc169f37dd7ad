"""The v2 half of a torrent: ``file tree`` and ``piece layers``. Source: BEP 52."""

import hashlib
from collections.abc import Iterator

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file import fields
from etracker_admin_api.torrent_file.fields import Dictionary, Path
from etracker_admin_api.torrent_file.names import parse_component
from etracker_admin_api.torrent_file.v1 import File, Layout

BLOCK_BYTES = 16 * 1024
_SHA256_BYTES = 32


def parse_v2(info: Dictionary, layers: object, piece_length: int) -> Layout:
    """Parse the file tree, in its order, and check every file's piece layer against its root.

    Raises:
        TorrentError: fields are missing, out of range or contradict each other.
    """
    if piece_length & (piece_length - 1):
        raise TorrentError("The piece length of a v2 torrent must be a power of two.")
    known_layers = fields.dictionary({} if layers is None else layers, "The piece layers field")
    tree = fields.dictionary(info.get(b"file tree"), "The file tree field")
    files: list[File] = []
    roots: set[bytes] = set()
    for path, entry in _walk(tree):
        size = fields.length(entry.get(b"length"), "A file's length")
        if size:
            root = fields.string(entry.get(b"pieces root"), "A file's pieces root")
            _check_root(root, size, piece_length, known_layers)
            if size > piece_length:
                roots.add(root)
        files.append(File(path, size))
        if len(files) > fields.MAX_FILES:
            raise TorrentError(f"The torrent has more than {fields.MAX_FILES} files.")
    if set(known_layers) != roots:
        raise TorrentError("The piece layers field lists a file that isn't in the torrent.")
    total = fields.length(sum(file.length for file in files), "The torrent's size")
    return Layout(tuple(files), total)


def _walk(tree: Dictionary) -> Iterator[tuple[Path, Dictionary]]:
    """Yield every file with its path, depth first in the order of the keys, without recursion."""
    stack: list[tuple[Path, object]] = [((), tree)]
    while stack:
        path, value = stack.pop()
        node = fields.dictionary(value, "A folder in the file tree")
        if path and b"" in node:
            if len(node) > 1:
                raise TorrentError("A file in the torrent has the same path as a folder.")
            yield path, fields.dictionary(node[b""], "A file in the file tree")
            continue
        if not node:
            raise TorrentError("A folder in the file tree is empty.")
        if len(path) >= fields.MAX_PATH_DEPTH:
            raise TorrentError("A path in the file tree is nested too deeply.")
        stack.extend(
            ((*path, parse_component(key, "A path in the file tree")), node[key]) for key in sorted(node, reverse=True)
        )


def _check_root(root: bytes, size: int, piece_length: int, layers: Dictionary) -> None:
    if len(root) != _SHA256_BYTES:
        raise TorrentError("A file's pieces root must be 32 bytes.")
    if size <= piece_length:
        return
    layer = fields.string(layers.get(root), "A file's piece layer")
    if len(layer) != -(-size // piece_length) * _SHA256_BYTES:
        raise TorrentError("A file's piece layer doesn't match its size.")
    if merkle_root(layer, piece_length) != root:
        raise TorrentError("A file's piece layer doesn't hash to its pieces root.")


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
