"""Make torrents, v1, v2 and hybrid, of content that is the same on every run."""

import enum
import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

import libtorrent
from fastbencode import bdecode, bencode

PIECE_SIZE = 256 * 1024


class Version(enum.Enum):
    """Which of BEP 3's and BEP 52's metadata a torrent has."""

    V1 = libtorrent.create_torrent.v1_only
    V2 = libtorrent.create_torrent.v2_only
    HYBRID = 0


@dataclass(frozen=True, slots=True)
class Content:
    """One file of random bytes. ``sha256`` is of the whole file."""

    path: Path
    length: int
    sha256: bytes

    @property
    def name(self) -> str:
        """The file's name, which is the torrent's too."""
        return self.path.name


def make_content(path: Path, length: int) -> Content:
    """Write ``length`` bytes that depend on the file's name only."""
    data = random.Random(path.name).randbytes(length)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Content(path, length, hashlib.sha256(data).digest())


def make_torrent(
    content: Content, *, version: Version = Version.V1, private: bool = True, piece_size: int = PIECE_SIZE
) -> bytes:
    """Return the bencoded torrent of one file, without a tracker."""
    entry = libtorrent.create_file_entry(content.name, content.length)
    maker = libtorrent.create_torrent([entry], piece_size, version.value)
    maker.set_priv(private)
    libtorrent.set_piece_hashes(maker, str(content.path.parent))
    torrent: bytes = bencode(maker.generate())
    return torrent


def with_announce_url(torrent: bytes, url: str) -> bytes:
    """Return a torrent with another tracker."""
    edited: bytes = bencode({**bdecode(torrent), b"announce": url.encode()})
    return edited


def info_hash_v1(torrent: bytes) -> bytes:
    """Return the 20 bytes that v1 clients announce."""
    return hashlib.sha1(_info(torrent)).digest()


def info_hash_v2(torrent: bytes) -> bytes:
    """Return the full 32 bytes of a v2 or hybrid torrent; clients announce the first 20."""
    return hashlib.sha256(_info(torrent)).digest()


def _info(torrent: bytes) -> bytes:
    info: bytes = bencode(bdecode(torrent)[b"info"])
    return info
