"""The worker on three masters: streams, counts and snatches lie on different nodes."""

import shutil
import struct
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from asgi_lifespan import LifespanManager
from redis.asyncio import RedisCluster as ClusterClient

from etracker_scoring.worker.program import create_worker_app
from etracker_scoring.worker.takings import MOST_PREFIXES, RedisTakings, Taking
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import SHARDS
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.facts import entry_commands, info_hash_of, make_fact
from tests.support.redis_cluster import RedisCluster, running_redis_cluster
from tests.support.scoring import worker_settings
from tests.support.waiting import eventually

KEYS = tuple(f"key{number}" for number in range(40))
TORRENTS = tuple(info_hash_of(str(number)) for number in range(8))


@pytest.fixture
def cluster() -> Iterator[RedisCluster]:
    program = shutil.which("redis-server")
    assert program, "redis-server is missing: make install-system"
    with running_redis_cluster(Path(program)) as cluster:
        yield cluster


@pytest.fixture
async def client(cluster: RedisCluster) -> AsyncIterator[ClusterClient]:
    client = ClusterClient.from_url(cluster.settings().redis_url)
    yield client
    await client.aclose()


async def test_facts_counts_and_snatches_find_their_way(
    database: asyncpg.Connection, client: ClusterClient, cluster: RedisCluster, postgres_settings: PostgresSettings
) -> None:
    await database.executemany("INSERT INTO peers (announce_key) VALUES ($1)", [(key,) for key in KEYS])
    await database.executemany("INSERT INTO infohashes (info_hash) VALUES ($1)", [(it,) for it in TORRENTS])
    for info_hash in TORRENTS:
        counts = struct.pack("<IIII", 2, 3, 0, 0)
        await client.hset(redis_keys.members(info_hash), mapping={redis_keys.COUNTS_FIELD: counts})
        await client.zadd(redis_keys.changed(info_hash), {info_hash: time.time()})
    for at, left in ((0, 100), (10, 0)):
        facts = [
            make_fact(key=key, info_hash=info_hash, at=at, downloaded=at * 10, left=left)
            for key in KEYS
            for info_hash in TORRENTS
        ]
        for key, field, value in entry_commands(*facts):
            await client.xadd(key, {field: value})

    async def all_is_there() -> bool:
        lengths = [await client.xlen(redis_keys.facts(shard)) for shard in range(SHARDS)]
        told = [await client.hget(redis_keys.members(each), redis_keys.SNATCHES_FIELD) for each in TORRENTS]
        rows = await database.fetch("SELECT seeders, leechers, downloaded FROM infohashes")
        wanted = (2, 3, len(KEYS))
        return not any(lengths) and all(tuple(row) == wanted for row in rows) and set(told) == {b"%d" % len(KEYS)}

    async with LifespanManager(create_worker_app(worker_settings(postgres_settings, cluster.settings()))):
        await eventually(all_is_there, "statistics, counts and snatches are where they belong", 30)
    assert await database.fetchval("SELECT sum(downloaded) FROM peers") == 100 * len(KEYS) * len(TORRENTS)


async def test_what_prefixes_take_is_on_one_node_and_bounded(client: ClusterClient) -> None:
    hour, extra = int(time.time() // 3600), 300
    takings = {b"%07d" % number: Taking(1, {TORRENTS[0]}) for number in range(MOST_PREFIXES + extra)}
    takings[b"crawler"] = Taking(9, set(TORRENTS))
    await RedisTakings(client).add(hour, takings, time.time())
    assert await RedisTakings(client).most(hour) == len(TORRENTS)
    assert await client.zcard(redis_keys.prefixes_ranked(hour)) == MOST_PREFIXES
    assert await client.hlen(redis_keys.lists_taken(hour)) == MOST_PREFIXES
