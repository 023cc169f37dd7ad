"""Fills an etracker: keys and torrents by COPY, and for large worlds peers directly into swarms and sessions."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

import asyncpg
import numpy as np

from bench.trackers.etracker import Etracker
from bench.world import World, announce_key, info_hash, peer_id, tier_of
from etracker_announce.adapters.swarms import RedisSwarms, connect_swarms
from etracker_announce.domain.presence import Pace, left_units
from etracker_announce.domain.swarm import PeerFlag, Role, Step
from etracker_shared.language.identity import InfoHash, hash_announce_key
from scripts.pasts import PASTS

STEPS_AT_ONCE = 2_000
FAR = 1_000_000
PEER_LIFETIME_SECONDS = 2 * 1800 + 300  # announce's defaults
SWEEP_SECONDS = 900
# Snatches count from 0, because the benchmark checks their number. So keys need another reason to be in tier 0.
_PASTS = tuple(replace(past, snatched=0, stained=past.tier == 0) for past in PASTS)
Advance = Callable[[int], object]
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The first ids of a world's rows in ``peers`` and ``infohashes``."""

    first_key: int
    first_torrent: int


def load_catalogue(tracker: Etracker, world: World) -> Catalogue:
    """Register a world's torrents and keys."""
    return tracker.run(_copy_catalogue(tracker, world))


def load_peers(tracker: Etracker, world: World, catalogue: Catalogue, advance: Advance) -> float:
    """Make every peer a member of its swarm with a settled session; return Redis' bytes per peer."""
    before = tracker.memory_bytes()
    tracker.run(_join_swarms(tracker, world, advance))
    memory = tracker.memory_bytes() - before
    tracker.run(_copy_sessions(tracker, world, catalogue))
    tidy(tracker)
    world.join_silently()
    return memory / world.shape.peers


def tidy(tracker: Etracker) -> None:
    """Do what autovacuum and the checkpointer would do after a load, so that their cost isn't measured."""
    tracker.run(_tidy(tracker))


async def _tidy(tracker: Etracker) -> None:
    async with tracker.connection() as connection:
        await connection.execute("VACUUM ANALYZE", timeout=300)
        await connection.execute("CHECKPOINT", timeout=300)


async def _copy_catalogue(tracker: Etracker, world: World) -> Catalogue:
    shape = world.shape
    async with tracker.connection() as connection:
        catalogue = Catalogue(await _next_id(connection, "peers"), await _next_id(connection, "infohashes"))
        torrents = ((catalogue.first_torrent + n, info_hash(shape, n), f"torrent {n}") for n in range(shape.swarms))
        pasts = [past.row() for past in _PASTS]
        keys = (
            (catalogue.first_key + n, announce_key(shape, n), *pasts[tier_of(n)].values()) for n in range(shape.keys)
        )
        await _copy(connection, "infohashes", ("id", "info_hash", "name"), torrents)
        await _copy(connection, "peers", ("id", "announce_key", *pasts[0]), keys)
    return catalogue


async def _copy_sessions(tracker: Etracker, world: World, catalogue: Catalogue) -> None:
    """Store what the worker would store after two announces of each peer that were worth nothing."""
    now = datetime.now(UTC)
    order = np.argsort(world.key_of, kind="stable").tolist()
    keys = (world.key_of + catalogue.first_key).tolist()
    torrents = (world.torrent_of + catalogue.first_torrent).tolist()
    uploaded, left = world.uploaded.tolist(), world.left.tolist()
    leeches, seeds = (True, None, None), (False, now)
    memberships = ((keys[p], torrents[p], now, *(leeches if left[p] else (*seeds, peer_id(p)))) for p in order)
    membership = ("key_id", "info_hash_id", "first_seen", "leeching", "credited_until", "credited_by")
    sessions = ((keys[p], torrents[p], peer_id(p), uploaded[p], 0, left[p], 1, now, now) for p in order)
    session = ("key_id", "info_hash_id", "peer_id", "uploaded", "downloaded", "amount_left", "event")
    async with tracker.connection() as connection:
        await _copy(connection, "memberships", membership, memberships)
        await _copy(connection, "announces", (*session, "first_seen", "last_seen"), sessions)


async def _next_id(connection: Connection, table: str) -> int:
    """Return the first of many free ids, far from those that the table's own sequence assigns in the meantime."""
    return FAR + int(await connection.fetchval(f"SELECT coalesce(max(id), 0) FROM {table}"))  # noqa: S608 - our own names


async def _copy(connection: Connection, table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    await connection.copy_records_to_table(table, records=rows, columns=columns, timeout=300)


async def _join_swarms(tracker: Etracker, world: World, advance: Advance) -> None:
    swarms = connect_swarms(
        tracker.redis,
        peers_per_key=5,
        peers_per_address=16,
        peer_lifetime_seconds=PEER_LIFETIME_SECONDS,
        sweep_seconds=SWEEP_SECONDS,
        sweep_budget=1,
        stream_max_bytes=2**30,
        on_batch=lambda _size: None,
        on_refused_writes=lambda _refused: None,
    )
    await swarms.start()
    try:
        # If peers joined in the order of their addresses, neighbours would be adjacent, and all lists be thinned.
        order = world.turns.order
        for start in range(0, world.shape.peers, STEPS_AT_ONCE):
            await _join(swarms, world, order[start : start + STEPS_AT_ONCE])
            advance(STEPS_AT_ONCE)
    finally:
        await swarms.close()


async def _join(swarms: RedisSwarms, world: World, peers: np.ndarray[Any, np.dtype[np.int64]]) -> None:
    now = int(time.time())
    shape = world.shape
    steps = [
        Step(
            info_hash=InfoHash(info_hash(shape, int(world.torrent_of[peer]))),
            key_hash=hash_announce_key(announce_key(shape, int(world.key_of[peer]))),
            peer_id=peer_id(peer),
            pair_hash=peer * 0x9E3779B97F4A7C15 % 2**32,
            endpoint=address.to_bytes(4, "big") + port.to_bytes(2, "big"),
            role=Role.LEECHER if world.left[peer] else Role.SEEDER,
            tier=tier_of(int(world.key_of[peer])),
            flags=PeerFlag.NONE,
            left=left_units(int(world.left[peer])),
            pace=Pace(0, 1.0),
            stopped=False,
            window=0,
            window_seed=0,
            rivals=0,
            witnesses=0,
            now=now,
        )
        for peer, address, port in zip(
            peers.tolist(), world.addresses(peers).tolist(), world.ports(peers).tolist(), strict=True
        )
    ]
    await asyncio.gather(*(swarms.announce(step, None) for step in steps))
