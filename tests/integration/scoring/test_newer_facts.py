"""A worker that meets facts of a newer version leaves them to a newer worker."""

import asyncio
from collections.abc import Mapping, Sequence

import asyncpg
import pytest
from redis.asyncio import Redis

from etracker_scoring.worker.leadership import Leadership
from etracker_scoring.worker.stream import FactStreams
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import FACT_VERSION, Fact, pack_fact, shard_of
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.facts import info_hash_of, make_fact
from tests.support.scoring import StartWorker, add_facts, worker_settings
from tests.support.settlers import all_settled, make_settler_of
from tests.support.waiting import eventually

NEWER = bytes([FACT_VERSION + 1])
UPLOADED = "SELECT uploaded FROM peers WHERE key_hash = hash_announce_key($1)"


class NewerStreams(FactStreams):
    """Reads a newer version too: one whose facts begin with another byte and end with eight more."""

    def _keep(self, at: int, reply: Sequence[tuple[bytes, Mapping[bytes, bytes] | None]]) -> int:
        return super()._keep(at, [(entry_id, _older(fields)) for entry_id, fields in reply])


def _older(fields: Mapping[bytes, bytes] | None) -> Mapping[bytes, bytes]:
    packed = (fields or {})[redis_keys.ENTRY_FIELD]
    return {redis_keys.ENTRY_FIELD: bytes([FACT_VERSION]) + packed[1:-8] if packed.startswith(NEWER) else packed}


async def add_newer(client: Redis, fact: Fact) -> None:
    entry = NEWER + pack_fact(fact)[1:] + bytes(8)
    await client.xadd(redis_keys.facts(shard_of(fact.key_hash)), {redis_keys.ENTRY_FIELD: entry})


@pytest.fixture(autouse=True)
async def _tracked(database: asyncpg.Connection) -> None:
    assert shard_of(hash_announce_key("alice")) != shard_of(hash_announce_key("bob"))
    await database.execute("INSERT INTO peers (announce_key) VALUES ('alice'), ('bob')")
    await database.execute("INSERT INTO infohashes (info_hash) VALUES ($1)", info_hash_of("film"))


async def test_newer_facts_are_left_and_everything_else_goes_on(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    await add_facts(redis_client, make_fact(), make_fact(key="bob"))
    await add_facts(redis_client, make_fact(at=1, uploaded=5))
    await add_newer(redis_client, make_fact(at=2, uploaded=9))
    await add_facts(redis_client, make_fact(at=3, uploaded=11), make_fact(key="bob", at=3, uploaded=7))

    async def says_so() -> bool:
        return await worker.metric("etracker_scoring_shards_refused") == 1

    await eventually(says_so, "the worker says that it is too old")
    await worker.settled(4)
    assert await database.fetchval(UPLOADED, "alice") == 5
    assert await database.fetchval(UPLOADED, "bob") == 7
    ready = await worker.client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["fact_version"]) == (503, False)
    assert await redis_client.xlen(redis_keys.facts(shard_of(hash_announce_key("alice")))) == 2
    assert await worker.metric('etracker_scoring_facts_total{outcome="poison"}') == 0


async def test_a_newer_worker_goes_on_where_the_older_one_stopped(
    database: asyncpg.Connection,
    redis_client: Redis,
    start_worker: StartWorker,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
) -> None:
    older = await start_worker()
    await add_facts(redis_client, make_fact(), make_fact(key="bob"))
    for at in range(1, 10):
        await add_newer(redis_client, make_fact(at=at, uploaded=at))
        await add_facts(redis_client, make_fact(key="bob", at=at, uploaded=at))

    async def stopped() -> bool:
        return await older.metric("etracker_scoring_shards_refused") == 1

    await eventually(stopped, "the older worker leaves a shard")
    settings = worker_settings(postgres_settings, redis_settings)
    async with Leadership(settings).join() as (connection, claims):
        newer = make_settler_of(connection, redis_client, settings, NewerStreams(redis_client), claims, max_facts=100)
        running = asyncio.create_task(newer.run())
        await eventually(lambda: all_settled(redis_client), "all facts are settled")
        await add_newer(redis_client, make_fact(key="bob", at=20, uploaded=20))

        async def bobs_too() -> bool:
            return bool(await database.fetchval(UPLOADED, "bob") == 20)

        await eventually(bobs_too, "what the older one leaves later is settled as well")
        running.cancel()
        await asyncio.wait([running])
    assert await database.fetchval(UPLOADED, "alice") == 9
