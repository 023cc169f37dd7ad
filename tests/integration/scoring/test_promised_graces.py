"""The newcomer's grace of a prefix, from the answer that promises it to the fact that settles it.

The kind: what scoring answers to several new keys of one prefix must add up, whichever replica answers, whatever the
worker has settled by then, and whatever ends in between.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import cycle
from pathlib import Path

import asyncpg
import pytest
from httpx import AsyncClient
from redis.asyncio import Redis

from etracker_scoring.scores.formula import DAY, GIB, ScoreParameters
from etracker_scoring.scores.newcomers import PROMISE_SECONDS
from etracker_shared.agreements.facts import Fact
from etracker_shared.agreements.tiers import TIERS_PATH, Sampling, TiersResponse, Treatment
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.language.tier import Tier
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.facts import START_MS, info_hash_of, make_fact
from tests.support.scoring import Settle, StartWorker, add_facts, serving_tiers, standing_of
from tests.support.waiting import eventually
from tests.support.workers import worker_program

HOME, OFFICE = b"\x04home\x00\x00", b"\x04work\x00\x00"
KEYS = [f"key{number:02}" for number in range(16)]
GRACED = Treatment(registered=True, tier=Tier.CONTRIBUTOR)
ONE_OF_ITS_PREFIX = Treatment(registered=True, tier=Tier.LITTLE_HISTORY, sampling=Sampling.PREFIX)


@pytest.fixture(autouse=True)
async def _catalogue(database: asyncpg.Connection) -> None:
    await database.execute("INSERT INTO infohashes (info_hash, length) VALUES ($1, $2)", info_hash_of("a"), int(GIB))
    await database.execute("INSERT INTO peers (announce_key) SELECT unnest($1::text[])", KEYS)


@pytest.fixture
async def replicas(postgres_settings: PostgresSettings) -> AsyncIterator[Sequence[AsyncClient]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(serving_tiers(postgres_settings)) for _ in range(3)]


def first(key: str, prefix: bytes = HOME, *, ago: float = 0.0, **changes: object) -> Fact:
    at = time.time() - ago - START_MS / 1000
    return make_fact(**{"key": key, "torrent": "a", "prefix": prefix, "at": at, "left": 1, **changes})


async def standings_of(replica: AsyncClient, asked: Mapping[str, bytes]) -> Sequence[Treatment]:
    """Ask about several keys, each with its prefix, in one request."""
    hashes = {hash_announce_key(key).hex(): prefix.hex() for key, prefix in asked.items()}
    prefixes = {key_hash: prefix for key_hash, prefix in hashes.items() if prefix}
    answer = await replica.post(TIERS_PATH, json={"keys": [*hashes], "prefixes": prefixes})
    assert answer.status_code == 200, answer.text
    return TiersResponse.model_validate_json(answer.content).peers


def count_graced(standings: Sequence[Treatment]) -> int:
    assert all(standing in {GRACED, ONE_OF_ITS_PREFIX} for standing in standings)
    return standings.count(GRACED)


async def test_of_new_keys_that_ask_at_once_on_all_replicas_one_gets_the_grace(
    replicas: Sequence[AsyncClient], settle: Settle, database: asyncpg.Connection
) -> None:
    asked = zip(KEYS, cycle(replicas), strict=False)
    standings = await asyncio.gather(*(standing_of(replica, key, HOME) for key, replica in asked))
    assert count_graced(standings) == 1
    holder = KEYS[standings.index(GRACED)]
    for replica in replicas:  # whoever asks again is answered as before
        assert await standing_of(replica, holder, HOME) == GRACED
        assert await standing_of(replica, KEYS[KEYS.index(holder) - 1], HOME) == ONE_OF_ITS_PREFIX
    await settle(*(first(key, ago=float(key != holder)) for key in sorted(KEYS, key=lambda key: key == holder)))
    assert await are_graced(database, [holder])
    assert [(await standing_of(replicas[0], key)).tier is Tier.CONTRIBUTOR for key in KEYS] == [
        key == holder for key in KEYS
    ]


async def test_of_new_keys_in_one_request_one_per_prefix_gets_the_grace(replicas: Sequence[AsyncClient]) -> None:
    asked = {key: OFFICE if number % 2 else HOME for number, key in enumerate(KEYS)}
    for replica in replicas:
        assert await standings_of(replica, asked) == [GRACED, GRACED, *[ONE_OF_ITS_PREFIX] * 14]


async def test_a_promise_to_a_key_that_never_announces_expires(
    replicas: Sequence[AsyncClient], database: asyncpg.Connection
) -> None:
    assert await standing_of(replicas[0], KEYS[0], HOME) == GRACED
    await database.execute("UPDATE graces SET given_time = given_time - $1 * interval '1 s'", PROMISE_SECONDS)
    assert await standing_of(replicas[1], KEYS[1], HOME) == GRACED
    assert await standing_of(replicas[0], KEYS[0], HOME) == ONE_OF_ITS_PREFIX


async def test_a_key_that_was_promised_the_grace_of_one_address_gets_it_when_it_announces_from_another(
    replicas: Sequence[AsyncClient], settle: Settle, database: asyncpg.Connection
) -> None:
    await settle(first(KEYS[0], OFFICE))
    assert await standing_of(replicas[0], KEYS[1], HOME) == GRACED
    await settle(first(KEYS[1], OFFICE))
    assert await are_graced(database, KEYS[:2])
    assert await standing_of(replicas[0], KEYS[2], HOME) == ONE_OF_ITS_PREFIX


async def test_a_grace_that_the_worker_is_giving_is_promised_to_nobody_else(
    replicas: Sequence[AsyncClient],
    redis_client: Redis,
    start_worker: StartWorker,
    database: asyncpg.Connection,
) -> None:
    async with database.transaction():
        await database.execute("LOCK TABLE tier_changes")  # the worker comes to it after the graces
        await start_worker()
        await add_facts(redis_client, first(KEYS[0]))
        await eventually(lambda: waits(database), "the worker has given the grace, and waits")
        assert count_graced([await standing_of(replica, KEYS[1], HOME) for replica in replicas]) == 0
    await eventually(lambda: are_graced(database, KEYS[:1]), "the grace is stored")
    assert await standing_of(replicas[0], KEYS[1], HOME) == ONE_OF_ITS_PREFIX


@pytest.mark.parametrize("slow", [False, True])
async def test_without_a_postgres_that_writes_new_keys_get_no_grace_and_others_their_answers(
    slow: bool, postgres_settings: PostgresSettings, settle: Settle, database: asyncpg.Connection
) -> None:
    await settle(first(KEYS[0], OFFICE))
    if not slow:
        name = postgres_settings.pgdatabase
        await database.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    async with serving_tiers(postgres_settings) as replica, database.transaction():
        if slow:
            await database.execute("LOCK TABLE graces")
        for _ in range(6):  # more often than there are connections
            assert await standings_of(replica, {KEYS[0]: b"", **dict.fromkeys(KEYS[1:], HOME)}) == [
                GRACED,
                *[ONE_OF_ITS_PREFIX] * 15,
            ]


async def test_a_promise_survives_what_is_killed_before_it_is_settled(
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
    redis_client: Redis,
    database: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    async with serving_tiers(postgres_settings) as replica:
        assert await standing_of(replica, KEYS[-1], HOME) == GRACED
    worker = worker_program(postgres_settings, redis_settings, tmp_path / "worker.log")
    async with database.transaction():
        await database.execute("LOCK TABLE tier_changes")
        await add_facts(redis_client, *(first(key, ago=60) for key in KEYS))
        worker.start()
        await eventually(lambda: waits(database), "the worker has decided, and waits")
        worker.kill()
    async with serving_tiers(postgres_settings) as replica:
        assert count_graced([await standing_of(replica, key, HOME) for key in KEYS]) == 1
    worker.start()
    try:
        await eventually(lambda: are_graced(database, KEYS[-1:]), "the promised grace is given")
        await eventually(lambda: all_began(database), "all keys are settled")
        assert await are_graced(database, KEYS[-1:])
    finally:
        worker.stop()


async def test_a_grace_that_passes_to_an_earlier_key_takes_its_tier_along_and_no_notice_says_so(
    start_worker: StartWorker, redis_client: Redis, database: asyncpg.Connection
) -> None:
    """Nobody is told of losing what they didn't lose by anything they did. Neither key was promised anything."""
    worker = await start_worker(score=ScoreParameters(demotion_margin=15.0))  # whatever the score, a demotion waits

    async def settle(number: int, *facts: Fact) -> None:
        await add_facts(redis_client, *facts)
        await worker.settled(number)

    await settle(1, first(KEYS[0], ago=DAY))
    assert await are_graced(database, KEYS[:1])
    await settle(2, first(KEYS[1], ago=DAY + 60))
    assert await are_graced(database, KEYS[1:2])
    await settle(3, first(KEYS[0], ago=60))
    rows = await database.fetch(
        "SELECT tier, falling_since, notice FROM peers WHERE key_hash = hash_announce_key($1)", KEYS[0]
    )
    assert [tuple(row) for row in rows] == [(Tier.LITTLE_HISTORY, None, None)]


async def waits(database: asyncpg.Connection) -> bool:
    return bool(await database.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))


async def are_graced(database: asyncpg.Connection, keys: Sequence[str]) -> bool:
    rows = await database.fetch("SELECT key_hash FROM peers WHERE grace ORDER BY id")
    return [row["key_hash"] for row in rows] == [hash_announce_key(key) for key in keys]


async def all_began(database: asyncpg.Connection) -> bool:
    return not await database.fetchval("SELECT count(*) FROM peers WHERE origin_time IS NULL")
