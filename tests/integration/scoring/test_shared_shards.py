"""Several workers share the shards of the fact stream."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from etracker_scoring.worker.leadership import Claims, Job
from etracker_scoring.worker.locks import ANY_WORKER, SHARD
from etracker_shared.agreements.facts import SHARDS, shard_of
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.facts import info_hash_of, make_fact
from tests.support.postgres import connect
from tests.support.scoring import StartWorker, add_facts, worker_settings
from tests.support.settlers import all_settled, make_settler
from tests.support.waiting import eventually
from tests.support.workers import worker_program

TAKEOVER_SECONDS = 10.0


async def shards_by_worker(database: asyncpg.Connection) -> list[int]:
    """Return how many shards each worker holds, according to Postgres."""
    rows = await database.fetch(
        "SELECT count(*) AS held FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = $1"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY pid ORDER BY 1",
        SHARD,
    )
    return [row["held"] for row in rows]


async def test_workers_divide_the_shards_and_take_over_what_a_killed_one_held(
    database: asyncpg.Connection, postgres_settings: PostgresSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    programs = [worker_program(postgres_settings, redis_settings, tmp_path / str(number)) for number in range(3)]

    async def divided_into(*shares: int) -> None:
        async def reached() -> bool:
            return await shards_by_worker(database) == list(shares)

        await eventually(reached, f"the shards are divided into {shares}", TAKEOVER_SECONDS)

    try:
        for program in programs:
            program.start()
        await divided_into(5, 5, 6)
        programs[1].kill()
        await divided_into(8, 8)
        programs[0].stop()
        await divided_into(16)
        programs[0].start()
        await divided_into(8, 8)
    finally:
        for program in programs:
            program.kill()


async def test_a_worker_of_the_version_with_a_leader_is_waited_for_and_kept_out(
    database: asyncpg.Connection, start_worker: StartWorker
) -> None:
    await database.execute("SELECT pg_advisory_lock($1)", ANY_WORKER)
    worker = await start_worker()

    async def waits() -> bool:
        return bool((await worker.client.get("/readyz")).json()["checks"]["postgres"])

    await eventually(waits, "the worker is connected")
    assert await worker.shards() == 0
    await database.execute("SELECT pg_advisory_unlock($1)", ANY_WORKER)
    await eventually(worker.holds_all, "it works once the leader has gone")
    assert not await database.fetchval("SELECT pg_try_advisory_lock($1)", ANY_WORKER)


async def test_jobs_run_in_one_worker_each(postgres_settings: PostgresSettings) -> None:
    connections = [await connect(postgres_settings) for _ in range(2)]
    first, second = (Claims(connection, set()) for connection in connections)
    for claims in (first, second, first, second):
        await claims.renew()
    assert [[claims.holds(job) for job in Job] for claims in (first, second)] == [[True] * len(Job), [False] * len(Job)]
    await connections[0].close()
    await second.renew()
    assert all(second.holds(job) for job in Job)
    await connections[1].close()


async def add_torrents(database: asyncpg.Connection, names: Sequence[str]) -> None:
    hashes = [(info_hash_of(name),) for name in names]
    await database.executemany("INSERT INTO infohashes (info_hash) VALUES ($1)", hashes)


async def add_keys(database: asyncpg.Connection, names: Sequence[str]) -> None:
    await database.executemany("INSERT INTO peers (announce_key) VALUES ($1)", [(name,) for name in names])


def keys_of_shards(wanted: set[int], count: int) -> list[str]:
    """Return names of keys whose facts are in some shards."""
    names = (f"key{number}" for number in range(100_000))
    found = (name for name in names if shard_of(hash_announce_key(name)) in wanted)
    return [next(found) for _ in range(count)]


async def test_one_newcomer_gets_the_grace_when_two_workers_meet_its_prefix_at_once(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
) -> None:
    """The kind: what a worker decides by rows of keys in other workers' shards."""
    halves = [set(range(0, SHARDS, 2)), set(range(1, SHARDS, 2))]
    prefixes = [b"\x04" + bytes([number, 1, 1, 0, 0, 0]) for number in range(60)]
    groups = [keys_of_shards(half, len(prefixes)) for half in halves]
    for names in groups:
        await add_keys(database, names)
    await add_torrents(database, ["film"])
    facts = [
        make_fact(key=name, prefix=prefix, at=group)
        for group, names in enumerate(groups)
        for name, prefix in zip(names, prefixes, strict=True)
    ]
    settings = worker_settings(postgres_settings, redis_settings)
    connections = [await connect(postgres_settings) for _ in halves]
    settlers = [
        make_settler(connection, redis_client, settings, half, max_facts=6)
        for connection, half in zip(connections, halves, strict=True)
    ]
    for fact in facts:
        await add_facts(redis_client, fact)
    running = [asyncio.create_task(one.run()) for one in settlers]
    await eventually(lambda: all_settled(redis_client), "all facts are settled")
    for task, connection in zip(running, connections, strict=True):
        task.cancel()
        await asyncio.wait([task])
        await connection.close()
    rows = await database.fetch("SELECT origin_prefix, count(*) FILTER (WHERE grace) FROM peers GROUP BY origin_prefix")
    assert {row[0] for row in rows} == set(prefixes)
    assert {row[1] for row in rows} == {1}, "one grace for each prefix"
    earlier = await database.fetch("SELECT key_hash FROM peers WHERE grace")
    assert {row[0] for row in earlier} == set(map(hash_announce_key, groups[0])), "and it is the earlier newcomer's"


async def test_workers_that_add_to_the_same_torrents_wait_for_each_other_in_no_circle(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
) -> None:
    """The kind: rows that shards share. Torrents come in other orders to each worker, and some are deleted."""
    torrents = [f"film{number}" for number in range(300)]
    await add_torrents(database, torrents)
    thirds = [{shard for shard in range(SHARDS) if shard % 3 == number} for number in range(3)]
    groups = [keys_of_shards(third, 2) for third in thirds]
    for names in groups:
        await add_keys(database, names)
    settings = worker_settings(postgres_settings, redis_settings)
    connections = [await connect(postgres_settings) for _ in thirds]
    running = [
        asyncio.create_task(make_settler(connection, redis_client, settings, third, max_facts=600).run())
        for connection, third in zip(connections, thirds, strict=True)
    ]
    before = await database.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    rounds = 15
    for at in range(rounds):
        for turn, names in enumerate(groups):
            shift = (at * 7 + turn * 100) % len(torrents)
            order = torrents[shift:] + torrents[:shift] if turn % 2 else [*reversed(torrents)]
            await add_facts(
                redis_client, *(make_fact(key=key, torrent=it, at=at, uploaded=at) for it in order for key in names)
            )
        if at % 3 == 2:
            await database.execute("DELETE FROM infohashes WHERE info_hash = $1", info_hash_of(torrents[at]))
    await eventually(lambda: all_settled(redis_client), "all facts are settled", 40)
    for task, connection in zip(running, connections, strict=True):
        task.cancel()
        await asyncio.wait([task])
        await connection.close()
    rows = await database.fetch("SELECT uploaded_bytes FROM infohashes")
    assert [row[0] for row in rows] == [6 * (rounds - 1)] * (len(torrents) - 5)
    after = await database.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert after == before
