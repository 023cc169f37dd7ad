"""Anomalies are found once: however facts are cut into batches, and whoever is killed."""

import asyncio
import random
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from etracker_shared.agreements.facts import SHARDS
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.cheats import FORGET, add_members, announces, findings, states
from tests.support.postgres import connect
from tests.support.scoring import StartWorker, add_facts, serving_tiers, standing_of, worker_settings
from tests.support.settlers import all_settled, make_settler
from tests.support.waiting import eventually
from tests.support.workers import worker_program

ALL = 5000
FAKER = hash_announce_key("faker")


async def settle_all(postgres: PostgresSettings, redis: RedisSettings, client: Redis, max_facts: int) -> None:
    """Settle the announces in this process."""
    connection = await connect(postgres)
    await add_facts_in_turn(client)
    settings = worker_settings(postgres, redis)
    settler = make_settler(connection, client, settings, set(range(SHARDS)), max_facts=max_facts)
    running = asyncio.create_task(settler.run())
    await eventually(lambda: all_settled(client), "all facts are settled", 40)
    running.cancel()
    await asyncio.wait([running])
    await connection.close()


async def add_facts_in_turn(client: Redis) -> None:
    facts = announces()
    for first in range(0, len(facts), 5):
        await add_facts(client, *facts[first : first + 5])


async def test_whatever_the_size_of_batches_the_same_is_found(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
) -> None:
    await add_members(database)
    found = []
    for max_facts in (ALL, 1, 7):
        await settle_all(postgres_settings, redis_settings, redis_client, max_facts)
        found.append(await findings(database))
        await database.execute(FORGET)
    assert found[0]["traffic"]
    assert found[0]["signals"]
    assert len(found[0]["anomalies"]) >= 4
    assert found[1] == found[0]
    assert found[2] == found[0]


async def test_fakers_and_wasters_are_confirmed_and_the_honest_are_not_suspected(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
) -> None:
    await add_members(database)
    await settle_all(postgres_settings, redis_settings, redis_client, ALL)
    assert await states(database) == {"faker": 2, "joal": 2, "waster": 2}
    assert await database.fetchval("SELECT state FROM anomalies WHERE guest IS NOT NULL") == 2
    assert await database.fetchval("SELECT count(*) FROM peers WHERE frozen IS NOT NULL") == 0  # only observed


@pytest.mark.full
async def test_workers_killed_at_any_moment_find_everything_once(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
    tmp_path: Path,
) -> None:
    await add_members(database)
    await settle_all(postgres_settings, redis_settings, redis_client, ALL)
    expected = await findings(database)
    await database.execute(FORGET)
    facts, rng = announces(), random.Random(4)
    program = worker_program(postgres_settings, redis_settings, tmp_path / "worker")
    program.start()
    try:
        for first in range(0, len(facts), 5):
            await add_facts(redis_client, *facts[first : first + 5])
            if first % 25 == 20:
                await asyncio.sleep(rng.uniform(0.2, 0.9))
                program.kill()
                program.start()
        await eventually(lambda: all_settled(redis_client), "all facts are settled", 40)
    finally:
        program.kill()
    assert await findings(database) == expected


async def test_off_nothing_is_stored(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    await add_members(database)
    worker = await start_worker(detection="off")
    await add_facts_in_turn(redis_client)
    await worker.settled(len(announces()))
    assert await findings(database) == {"anomalies": [], "evidence": [], "signals": [], "traffic": []}


@pytest.mark.parametrize("decision", [(1, 0), (2, 3)])
async def test_an_enforced_confirmation_takes_the_tier_until_an_operator_ends_it(
    database: asyncpg.Connection,
    redis_client: Redis,
    start_worker: StartWorker,
    postgres_settings: PostgresSettings,
    decision: tuple[int, int],
) -> None:
    await add_members(database)
    await database.execute(
        "UPDATE peers SET tier = 4, score_time = now(), origin_time = now() - interval '90 days',"
        " seeding_seconds = 8000000, score_recent = 20, score_average = 20, score_length_days = 40"
    )
    worker = await start_worker(detection="enforce", max_bytes_per_second=2**62)
    await add_facts_in_turn(redis_client)
    await worker.settled(len(announces()))
    async with serving_tiers(postgres_settings) as tiers:
        assert (await standing_of(tiers, "faker")).tier == 0
        assert (await standing_of(tiers, "honest")).tier >= 2
        assert await database.fetchval("SELECT score FROM peers WHERE key_hash = $1", FAKER) == 0.0
        assert await database.fetchval("SELECT notice FROM peers WHERE key_hash = $1", FAKER) is None
        await database.execute(
            "UPDATE anomalies SET override = $1, override_by = 'operator', override_until = now() + interval '7 days'"
            " FROM peers WHERE key_id = peers.id AND key_hash = $2",
            decision[0],
            FAKER,
        )

        async def is_back() -> bool:
            return (await standing_of(tiers, "faker")).tier == (await standing_of(tiers, "honest")).tier

        await eventually(is_back, "the key has its tier again", 5)
        assert (await states(database))["faker"] == decision[1]
        assert (await standing_of(tiers, "waster")).tier == 0


async def test_without_enforcement_the_effects_that_there_were_end(
    database: asyncpg.Connection,
    redis_client: Redis,
    start_worker: StartWorker,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
) -> None:
    await add_members(database)
    await settle_all(postgres_settings, redis_settings, redis_client, ALL)
    frozen = "SELECT count(*) FROM peers WHERE frozen IS NOT NULL AND confirmed_time IS NOT NULL"

    async def affected() -> int:
        return int(await database.fetchval(frozen))

    async def three() -> bool:
        return await affected() == 3

    async def none() -> bool:
        return await affected() == 0

    await database.execute("UPDATE anomalies SET state = 2, score_time = now(), since = now(), evidence_time = now()")
    await start_worker(detection="enforce")
    await eventually(three, "confirmed keys are affected when enforcement begins")
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'etracker-scoring-worker'"
    )
    await start_worker(detection="observe")
    await eventually(none, "nobody is affected by what is only observed", 20)
