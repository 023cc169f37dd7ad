"""Seeders and leechers on their way from the swarms into Postgres."""

import struct
import time

import asyncpg
import pytest
from redis.asyncio import Redis

from etracker_shared.agreements import redis_keys
from etracker_shared.language.identity import InfoHash
from tests.support.facts import info_hash_of
from tests.support.scoring import StartWorker
from tests.support.waiting import eventually

FILM, MUSIC = info_hash_of("film"), info_hash_of("music")


@pytest.fixture(autouse=True)
async def _torrents(database: asyncpg.Connection) -> None:
    await database.execute("INSERT INTO infohashes (info_hash, downloaded) VALUES ($1, 7), ($2, 0)", FILM, MUSIC)


async def put_swarm(client: Redis, info_hash: InfoHash, seeders: int, leechers: int, partial_seeds: int = 0) -> None:
    """Leave a swarm's counts as announce's Lua step does."""
    counts = struct.pack("<IIII", seeders + partial_seeds, leechers, partial_seeds, 0)
    await client.hset(redis_keys.members(info_hash), mapping={redis_keys.COUNTS_FIELD: counts})
    await client.zadd(redis_keys.changed(info_hash), {info_hash: time.time()})
    await client.zadd(redis_keys.due(info_hash), {info_hash: time.time() + 900})


async def remove_swarm(client: Redis, info_hash: InfoHash) -> None:
    await client.delete(redis_keys.members(info_hash))
    await client.zadd(redis_keys.changed(info_hash), {info_hash: time.time()})
    await client.zrem(redis_keys.due(info_hash), info_hash)


async def expect_counts(database: asyncpg.Connection, info_hash: InfoHash, seeders: int, leechers: int) -> None:
    async def reached() -> bool:
        row = await database.fetchrow("SELECT seeders, leechers FROM infohashes WHERE info_hash = $1", info_hash)
        return row is not None and tuple(row) == (seeders, leechers)

    await eventually(reached, "the counts reach Postgres")


async def test_changed_counts_reach_postgres_and_go_with_the_swarm(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    await start_worker()
    await put_swarm(redis_client, FILM, 3, 5, partial_seeds=2)
    await put_swarm(redis_client, info_hash_of("of no list"), 1, 1)
    await expect_counts(database, FILM, 3, 5)
    await put_swarm(redis_client, FILM, 4, 0)
    await expect_counts(database, FILM, 4, 0)
    await remove_swarm(redis_client, FILM)
    await expect_counts(database, FILM, 0, 0)
    assert await database.fetchval("SELECT counted_time <= now() FROM infohashes WHERE info_hash = $1", FILM)


async def test_a_worker_that_takes_over_the_counts_compares_everything(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    """No change is noted: a swarm changed while no worker ran, and another one has gone since."""
    await put_swarm(redis_client, FILM, 3, 5)
    await redis_client.delete(redis_keys.changed(FILM))
    await database.execute("UPDATE infohashes SET seeders = 9 WHERE info_hash = $1", MUSIC)
    await start_worker()
    await expect_counts(database, FILM, 3, 5)
    await expect_counts(database, MUSIC, 0, 0)

    async def told() -> bool:
        return bool(await redis_client.hget(redis_keys.members(FILM), redis_keys.SNATCHES_FIELD) == b"7")

    await eventually(told, "the swarm knows of the snatches")


async def test_counts_are_zeroed_when_redis_lost_its_data(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    await start_worker()
    await put_swarm(redis_client, FILM, 3, 5)
    await put_swarm(redis_client, MUSIC, 1, 1)
    await expect_counts(database, FILM, 3, 5)
    await expect_counts(database, MUSIC, 1, 1)
    await redis_client.flushall()
    await expect_counts(database, FILM, 0, 0)
    await expect_counts(database, MUSIC, 0, 0)
    await put_swarm(redis_client, FILM, 2, 2)
    await expect_counts(database, FILM, 2, 2)


async def test_old_changes_are_forgotten(redis_client: Redis, start_worker: StartWorker) -> None:
    await redis_client.zadd(redis_keys.changed(FILM), {FILM: time.time() - 3600})
    await start_worker()

    async def forgotten() -> bool:
        return not await redis_client.exists(redis_keys.changed(FILM))

    await eventually(forgotten, "the note is gone")
