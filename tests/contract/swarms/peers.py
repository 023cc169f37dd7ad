"""Peers and their steps, for tests of the swarms."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from etracker_announce.adapters.swarms import RedisSwarms, connect_swarms
from etracker_announce.domain.presence import Pace
from etracker_announce.domain.swarm import PeerFlag, Role, Step, View
from etracker_shared.language.identity import InfoHash, KeyHash
from etracker_shared.plumbing.settings import RedisSettings

NOW = int(time.time())
"""Tests happen in the future of this: the sweeper in the background, which has the real time, leaves them alone."""

PEERS_PER_KEY = 3
PEERS_PER_ADDRESS = 4
LIFETIME = 3_900
SWEEP = 900
HASH = InfoHash(b"\xa7" + b"torrent of the tests"[:19])
OTHER_HASH = InfoHash(b"\x01" + b"another torrent for "[:19])
EVERYBODY = 10_000
PACE = Pace(longest_gap=2_970, idle=0.25)


def compose(settings: RedisSettings, *, stream_max_bytes: int = 2**31, batches: list[int] | None = None) -> RedisSwarms:
    """Compose what an announce process has. ``batches`` collects the sizes of its batches."""
    return connect_swarms(
        settings,
        peers_per_key=PEERS_PER_KEY,
        peers_per_address=PEERS_PER_ADDRESS,
        peer_lifetime_seconds=LIFETIME,
        sweep_seconds=SWEEP,
        sweep_budget=1_000,
        stream_max_bytes=stream_max_bytes,
        on_batch=(batches if batches is not None else []).append,
        on_refused_writes=lambda _refused: None,
    )


@asynccontextmanager
async def connect(settings: RedisSettings, **options: Any) -> AsyncIterator[RedisSwarms]:
    """Compose, start and close; ``options`` as :func:`compose`."""
    swarms = compose(settings, **options)
    await swarms.start()
    try:
        yield swarms
    finally:
        await swarms.close()


def key_of(key: int) -> KeyHash:
    return KeyHash(hashlib.sha256(b"key %d" % key).digest()[:16])


def peer_id_of(instance: int) -> bytes:
    return b"-TT0001-%012d" % instance


def ipv4(host: int, port: int = 6881) -> bytes:
    return (0x0A000000 + host).to_bytes(4, "big") + port.to_bytes(2, "big")


def ipv6(host: int, port: int = 6881) -> bytes:
    return bytes.fromhex("20010db8") + host.to_bytes(12, "big") + port.to_bytes(2, "big")


def step(key: int, instance: int | None = None, *, at: int = 0, **changes: Any) -> Step:
    """Make a step of a key's client instance (the key's only one if not given), ``at`` seconds from now."""
    instance = key if instance is None else instance
    values: dict[str, Any] = {
        "info_hash": HASH,
        "key_hash": key_of(key),
        "peer_id": peer_id_of(instance),
        "pair_hash": key * 31 + 7,
        "left": 1_000,
        "pace": PACE,
        "endpoint": ipv4(instance),
        "role": Role.LEECHER,
        "tier": 2,
        "flags": PeerFlag.NONE,
        "stopped": False,
        "window": EVERYBODY,
        "window_seed": 0,
        "rivals": 0,
        "witnesses": 0,
        "now": NOW + at,
    }
    return Step(**(values | changes))


async def join_all(swarms: RedisSwarms, keys: Iterable[int], *, at: int = 0, **changes: Any) -> None:
    """Let each key join with one client, in this order, wanting no peers."""
    await asyncio.gather(*[swarms.announce(step(key, at=at, window=0, **changes), None) for key in keys])


def peer_ids(view: View) -> set[bytes]:
    """Return the peer_ids of the candidates, and check that none is there twice."""
    found = [bytes(record["peer_id"]) for record in view.candidates]
    assert len(found) == len(set(found))
    return set(found)


def ids(instances: Iterable[int]) -> set[bytes]:
    return {peer_id_of(instance) for instance in instances}


def record_of(view: View, instance: int) -> np.void:
    """Return the one record of a client instance among the candidates."""
    (record,) = (record for record in view.candidates if bytes(record["peer_id"]) == peer_id_of(instance))
    assert isinstance(record, np.void)
    return record
