"""Every fact once: whoever is killed, whatever is down, however many workers share the shards."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import SHARDS, Fact, pack_fact
from etracker_shared.agreements.notifications import EVERYTHING, INFOHASHES_CHANNEL
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.facts import START_MS, info_hash_of, make_fact
from tests.support.postgres import PostgresServer, connect
from tests.support.redis import RedisServer
from tests.support.scoring import StartWorker, add_facts, worker_settings
from tests.support.settlers import all_settled, make_settler
from tests.support.waiting import eventually
from tests.support.workers import worker_program

KEYS = tuple(f"key{number}" for number in range(40))
TORRENTS = ("film", "music")
ROUNDS = 30
AN_HOUR_AGO = time.time() - 3600 - START_MS / 1000  # sessions of older facts would be folded in the meantime


def history() -> Iterator[list[Fact]]:
    """Thirty rounds in which every key announces both torrents and uploads one byte more each time."""
    for at in range(ROUNDS):
        yield [
            make_fact(key=key, torrent=torrent, at=AN_HOUR_AGO + at, uploaded=at)
            for key in KEYS
            for torrent in TORRENTS
        ]


async def fill(database: asyncpg.Connection) -> None:
    await database.executemany("INSERT INTO peers (announce_key) VALUES ($1)", [(key,) for key in KEYS])
    await database.executemany(
        "INSERT INTO infohashes (info_hash) VALUES ($1)", [(info_hash_of(it),) for it in TORRENTS]
    )


async def totals(database: asyncpg.Connection) -> tuple[int, ...]:
    row = await database.fetchrow(
        "SELECT (SELECT sum(uploaded) FROM peers), (SELECT sum(uploaded_bytes) FROM infohashes),"
        " (SELECT sum(uploaded_credit) FROM announces), (SELECT sum(seeding_seconds) FROM announces),"
        " (SELECT round(2 * 86400 * sum(score_length_days)) FROM peers)"
    )
    assert row is not None
    return tuple(int(value or 0) for value in row)


EXPECTED = (2 * len(KEYS) * (ROUNDS - 1),) * 5
"""The last is twice the time seeding as scores count it: a key's two torrents count once."""


async def test_workers_killed_at_any_moment_settle_every_fact_once(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
    tmp_path: Path,
) -> None:
    await fill(database)
    rng = random.Random(4)
    programs = [worker_program(postgres_settings, redis_settings, tmp_path / str(number)) for number in range(3)]
    try:
        for program in programs:
            program.start()
        for number, facts in enumerate(history()):
            await add_facts(redis_client, *facts)
            await asyncio.sleep(rng.uniform(0, 0.3))
            if number % 6 == 5:
                victim = rng.choice(programs)
                victim.kill()
                victim.start()
        await eventually(lambda: all_settled(redis_client), "all facts are settled", 40)
    finally:
        for program in programs:
            program.kill()
    assert await totals(database) == EXPECTED


async def test_a_batch_broken_off_between_any_two_steps_is_settled_once(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    """Its connection is cut again and again, wherever it happens to be."""
    await fill(database)
    worker = await start_worker(worker_batch_facts=40)
    for number, facts in enumerate(history()):
        await add_facts(redis_client, *facts)
        if number % 2:
            await asyncio.sleep(random.Random(number).uniform(0, 0.05))
            await database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'etracker-scoring-worker'"
            )
    await eventually(lambda: all_settled(redis_client), "all facts are settled", 40)
    assert await totals(database) == EXPECTED
    await eventually(worker.holds_all, "the worker holds every shard again")


async def test_workers_that_all_believe_to_hold_every_shard_settle_every_fact_once(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
) -> None:
    await fill(database)
    settings = worker_settings(postgres_settings, redis_settings)
    connections = [await connect(postgres_settings) for _ in range(3)]
    running = [
        asyncio.create_task(make_settler(connection, redis_client, settings, set(range(SHARDS)), max_facts=40).run())
        for connection in connections
    ]
    for facts in history():
        await add_facts(redis_client, *facts)
    await eventually(lambda: all_settled(redis_client), "all facts are settled", 40)
    for task, connection in zip(running, connections, strict=True):
        task.cancel()
        await asyncio.wait([task])
        await connection.close()
    assert await totals(database) == EXPECTED


async def test_facts_that_the_version_before_left_in_one_stream_are_settled_once_next_to_new_ones(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
) -> None:
    """The kind: two workers that meet the same key. Workers hold the stream of the old facts and those of the new."""
    await fill(database)
    first, *others = history()
    await add_facts(redis_client, *first)
    settings = worker_settings(postgres_settings, redis_settings)
    connections = [await connect(postgres_settings) for _ in range(2)]
    shards: list[set[int]] = [{0}, set(range(1, SHARDS))]
    settlers = [
        make_settler(connection, redis_client, settings, held, max_facts=40)
        for connection, held in zip(connections, shards, strict=True)
    ]
    running = [asyncio.create_task(settler.run()) for settler in settlers]
    await eventually(lambda: all_settled(redis_client), "every session has begun")
    for number, facts in enumerate(others):
        if number % 2:
            await add_facts(redis_client, *facts)
        else:
            await redis_client.xadd(redis_keys.facts(0), {redis_keys.ENTRY_FIELD: b"".join(map(pack_fact, facts))})
    await eventually(lambda: all_settled(redis_client), "all facts are settled", 40)
    for task, connection in zip(running, connections, strict=True):
        task.cancel()
        await asyncio.wait([task])
        await connection.close()
    assert await totals(database) == EXPECTED


async def test_postgres_outage_delays_facts_and_loses_none(
    dedicated_postgres: PostgresServer, redis_settings: RedisSettings, redis_client: Redis, tmp_path: Path
) -> None:
    postgres = dedicated_postgres.settings("migrated")
    database = await connect(postgres)
    await fill(database)
    await database.close()
    with worker_program(postgres, redis_settings, tmp_path / "worker"):
        for number, facts in enumerate(history()):
            if number == 10:
                dedicated_postgres.kill()
            elif number == 20:
                dedicated_postgres.start()
            await add_facts(redis_client, *facts)
        await eventually(lambda: all_settled(redis_client), "all facts are settled", 40)
    database = await connect(postgres)
    assert await totals(database) == EXPECTED
    await database.close()


async def test_redis_outage_loses_no_fact_that_redis_kept(
    database: asyncpg.Connection, dedicated_redis: RedisServer, postgres_settings: PostgresSettings, tmp_path: Path
) -> None:
    await fill(database)
    client: Redis = Redis(port=dedicated_redis.port)
    with worker_program(postgres_settings, dedicated_redis.settings(), tmp_path / "worker"):
        for number, facts in enumerate(history()):
            if number in {10, 20}:
                dedicated_redis.stop()
                dedicated_redis.start()
            await add_facts(client, *facts)
        await eventually(lambda: all_settled(client), "all facts are settled", 40)
    await client.aclose()
    assert await totals(database) == EXPECTED


async def test_a_redis_that_comes_back_older_is_read_again_and_doubles_nothing(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    """Its clock is behind, too: new entries get ids that lie before what was settled. And it has lost its counts."""
    await fill(database)
    told: list[object] = []
    await database.add_listener(INFOHASHES_CHANNEL, lambda *notification: told.append(notification[-1]))
    key = redis_keys.facts(0)
    rounds = [fact for facts in history() for fact in facts if fact.key_hash[0] % SHARDS == 0]
    for number, fact in enumerate(rounds[:20]):
        await redis_client.xadd(key, {redis_keys.ENTRY_FIELD: pack_fact(fact)}, id=f"2000000000000-{number + 1}")
    worker = await start_worker()
    await worker.settled(20)
    await eventually(lambda: all_settled(redis_client), "the stream is trimmed")  # or that would hit the new entries
    await redis_client.delete(key)
    for number, fact in enumerate(rounds[10:]):
        await redis_client.xadd(key, {redis_keys.ENTRY_FIELD: pack_fact(fact)}, id=f"1900000000000-{number + 1}")
    await worker.settled(len(rounds) + 10)
    assert told == [EVERYTHING], "announce asks Postgres again"
    keys = len({fact.key_hash for fact in rounds})
    assert await database.fetchval("SELECT sum(uploaded) FROM peers") == 2 * keys * (ROUNDS - 1)
