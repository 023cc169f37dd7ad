"""The participants: keys with a stored history, and a separate torrent for each run."""

import hashlib
import secrets
import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import libtorrent
import numpy as np
from fastbencode import bdecode, bencode

from bench.trackers.etracker import Etracker
from scripts.pasts import PASTS

PIECE_BYTES = 64 * 1024
GIGABYTE = 10**9


class Kind(StrEnum):
    """The behaviour of a client: seed, leech and keep seeding, leech and leave."""

    SEEDER = "seeder"
    CONTRIBUTOR = "contributor"
    FREE_RIDER = "free-rider"


TIERS = {
    Kind.SEEDER: (4, 4, 4, 3, 2) * 5,
    Kind.CONTRIBUTOR: (4, 3, 4, 3),
    Kind.FREE_RIDER: (0, 0, 0, 0),
}
"""As in the reference regimes, 60 % of the persistent seeders are in tier 4, the others in tiers 3 and 2."""

TRANSFERRED = {
    Kind.SEEDER: (600 * GIGABYTE, 200 * GIGABYTE),
    Kind.CONTRIBUTOR: (200 * GIGABYTE, 125 * GIGABYTE),
    Kind.FREE_RIDER: (10 * GIGABYTE, 100 * GIGABYTE),
}
"""Bytes uploaded and downloaded so far, which policy ``ratio`` uses."""


@dataclass(frozen=True, slots=True)
class Person:
    """``number``: the client's number, which determines its address and its line."""

    number: int
    kind: Kind
    tier: int
    key: str


@dataclass(frozen=True, slots=True)
class Torrent:
    """A private torrent of one file in ``directory``; ``info``: its bencoded info dictionary."""

    directory: Path
    name: str
    length: int
    info: bytes

    @property
    def info_hash(self) -> bytes:
        """Return the infohash: the 20 bytes that are announced."""
        return hashlib.sha1(self.info, usedforsecurity=False).digest()

    def announcing_to(self, url: str) -> bytes:
        """Return the torrent file with an announce URL."""
        torrent: bytes = bencode({b"announce": url.encode(), b"info": bdecode(self.info)})
        return torrent


def make_torrent(directory: Path, name: str, length: int) -> Torrent:
    """Write ``length`` bytes that depend on the name only, and describe them."""
    (directory / name).write_bytes(np.random.default_rng(zlib.crc32(name.encode())).bytes(length))
    maker = libtorrent.create_torrent(
        [libtorrent.create_file_entry(name, length)], PIECE_BYTES, libtorrent.create_torrent.v1_only
    )
    maker.set_priv(True)
    libtorrent.set_piece_hashes(maker, str(directory))
    return Torrent(directory, name, length, bencode(maker.generate()[b"info"]))


def make_people() -> list[Person]:
    """Create the participants of one run, each with a new key."""
    roles = [(kind, tier) for kind, tiers in TIERS.items() for tier in tiers]
    return [Person(number, kind, tier, secrets.token_hex(15)) for number, (kind, tier) in enumerate(roles)]


async def register(tracker: Etracker, people: list[Person], torrent: Torrent) -> None:
    """Store keys, their histories and the torrent, as if they had been in use for a long time."""
    async with tracker.connection() as connection:
        for person in people:
            uploaded, downloaded = TRANSFERRED[person.kind]
            row = {
                "announce_key": person.key,
                "uploaded": uploaded,
                "downloaded": downloaded,
                **PASTS[person.tier].row(),
            }
            places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
            statement = f"INSERT INTO peers ({', '.join(row)}) VALUES ({places})"  # noqa: S608 - our own names
            await connection.execute(statement, *row.values())
        await connection.execute(
            "INSERT INTO infohashes (info_hash, name, length) VALUES ($1, $2, $3)",
            torrent.info_hash,
            torrent.name,
            torrent.length,
        )
