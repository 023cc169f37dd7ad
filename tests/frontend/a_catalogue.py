"""Torrents with swarms and a history, for pages that are worth a picture."""

import math
import random
import secrets
from typing import NamedTuple

import httpx

from tests.support.postgres import connect
from tests.support.stack import StackRun

FEATURED = "Big Buck Bunny 60 fps"
"""The torrent with a history of its own."""

_GIB = 2**30
_FILE = b"d4:infod6:lengthi1e4:name1:a12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee"


class Entry(NamedTuple):
    """A torrent: its size in GiB, and the peers in its swarm."""

    name: str
    gib: float
    seeders: int
    leechers: int


CATALOGUE = (  # the newest first
    Entry("Debian 13.1 amd64 netinst", 0.3, 1, 1),
    Entry("Blender open movie: Charge", 91.3, 2, 1),
    Entry("Sintel 2160p", 91.3, 2, 4),
    Entry("OpenStreetMap planet 2026-11", 0.3, 3, 0),
    Entry("Wikipedia EN 2026-10", 0.68, 1, 1),
    Entry("Arch Linux 2026.11.01", 1.12, 2, 4),
    Entry(FEATURED, 4.38, 65, 21),
    Entry("LibriVox: Moby Dick", 0.68, 50, 9),
    Entry("Prelinger films, part 3", 4.38, 3, 4),
    Entry("Fedora Workstation 44", 2.5, 50, 9),
    Entry("Common Voice 24 (en)", 91.3, 50, 1),
    Entry("NASA Apollo 11 footage", 4.8, 21, 2),
    Entry("Project Gutenberg 2026", 1.9, 26, 10),
    Entry("Tears of Steel 4K", 2.4, 4, 1),
    Entry("FreeBSD 15.0 amd64", 6.5, 35, 1),
    Entry("Stack Exchange dump 2026-09", 14.5, 24, 9),
    Entry("Musopen Chopin", 3.0, 4, 8),
    Entry("Ubuntu 26.04 desktop", 5.9, 14, 7),
)

_TORRENT = """
INSERT INTO infohashes (info_hash, name, length, file, downloaded,
    uploaded_bytes, downloaded_bytes, seeding_seconds, created_time)
VALUES ($1, $2, $3::bigint, $4, $5, $3::bigint * 1100, $3::bigint * 1083, 86400 * 3011, now() - $6 * interval '1 day')
"""
_TORRENT_SAMPLE = """
INSERT INTO torrent_samples (info_hash_id, at, seeders, leechers, snatches)
SELECT id, now() - $1 * interval '1 hour', $2, $3, downloaded FROM infohashes WHERE name = $4
"""
_TRACKER_SAMPLE = """
INSERT INTO tracker_samples
VALUES (60, date_trunc('minute', now()) - $1 * interval '1 minute', $2, $2, $3, $4, 0, 0, 0, 0) ON CONFLICT DO NOTHING
"""


async def store_catalogue(stack: StackRun) -> dict[str, str]:
    """Store the torrents and a day of history, and return the infohash (hex) of each name."""
    info_hashes = {entry.name: secrets.token_bytes(20) for entry in CATALOGUE}
    connection = await connect(stack.postgres_settings())
    try:
        await connection.executemany(
            _TORRENT,
            [
                (info_hashes[name], name, int(gib * _GIB), _FILE, 46 + 40 * place, 1.2 * place + 1)
                for place, (name, gib, _, _) in enumerate(CATALOGUE)
            ],
        )
        await connection.executemany(_TORRENT_SAMPLE, _hours_of(next(e for e in CATALOGUE if e.name == FEATURED)))
        await connection.executemany(_TRACKER_SAMPLE, _minutes())
    finally:
        await connection.close()
    return {name: info_hash.hex() for name, info_hash in info_hashes.items()}


def announce_swarms(stack: StackRun, info_hashes: dict[str, str]) -> None:
    """Announce every peer of the catalogue once, as a guest."""
    with httpx.Client(base_url=stack.base_url, trust_env=False) as client:
        for name, _, seeders, leechers in CATALOGUE:
            for number in range(seeders + leechers):
                client.get(_announce(info_hashes[name], left=0 if number < seeders else 1000)).raise_for_status()


def _announce(info_hash: str, left: int) -> str:
    escaped = "".join(f"%{info_hash[at : at + 2]}" for at in range(0, 40, 2))
    peer = f"peer_id=-TR4060-{secrets.token_hex(6)}&port={secrets.randbelow(60_000) + 2000}"
    return f"/announce?info_hash={escaped}&{peer}&left={left}&uploaded=0&downloaded=0&event=started"


def _hours_of(entry: Entry) -> list[tuple[float, int, int, str]]:
    """Return a day of samples that ends with the swarm as it is."""
    return [
        (
            float(hour),
            round(entry.seeders - 9 + 9 * math.cos(hour / 4)),
            round(entry.leechers - 4 + 4 * math.cos(hour / 4 + 0.3)),
            entry.name,
        )
        for hour in range(26, 0, -1)
    ]


def _minutes() -> list[tuple[float, float, float, float]]:
    """Return a day of samples that ends with the tracker as it is."""
    noise = random.Random(7)
    seeders, leechers = (sum(entry.seeders for entry in CATALOGUE), sum(entry.leechers for entry in CATALOGUE))
    waves = ((minute, (1 - math.cos(minute / 229)) / 2) for minute in range(1440, 0, -1))
    return [
        (
            float(minute),
            float(len(CATALOGUE)),
            seeders * (1 + 0.3 * wave) + noise.uniform(-3, 3),
            leechers * (1 + 0.4 * wave) + noise.uniform(-2, 2),
        )
        for minute, wave in waves
    ]
