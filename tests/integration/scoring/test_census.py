"""The gauges of the whole tracker: swarms, peers, keys, the sweeper's backlog, Postgres and Redis."""

import time

import asyncpg
from redis.asyncio import Redis

from etracker_scoring.worker.census import SAMPLED_RECORDS, SAMPLED_SWARMS, count_swarms
from etracker_shared.agreements import redis_keys
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import running_announcer
from tests.support.facts import info_hash_of
from tests.support.scoring import StartWorker
from tests.support.waiting import eventually

FILM, MUSIC = info_hash_of("film"), info_hash_of("music")
V4, V6 = "198.51.100.{}", "2001:db8:{}::1"


async def test_a_worker_shows_what_the_tracker_holds(
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
    database: asyncpg.Connection,
    redis_client: Redis,
    start_worker: StartWorker,
) -> None:
    """From the swarms that announce made: two seeders and a leecher, of which one of each has only IPv6."""
    async with running_announcer(postgres_settings, redis_settings) as announcer:
        await announcer.track(FILM, MUSIC)
        for source, left in ((V4.format(1), 0), (V6.format(2), 0), (V6.format(3), 5)):
            await announcer.announce(None, FILM, source[:8].encode() + bytes(12), left=left, source=source)
    await redis_client.zadd(redis_keys.due(FILM), {FILM: time.time() - 100})
    await database.execute("INSERT INTO peers (announce_key) VALUES ('a'), ('b'), ('c')")
    worker = await start_worker()

    async def counted() -> bool:
        return await worker.metric("etracker_swarms ") == 1

    await eventually(counted, "the census is taken")
    assert await worker.metric('etracker_peers{family="ipv4",role="seeder"}') == 1
    assert await worker.metric('etracker_peers{family="ipv6",role="seeder"}') == 1
    assert await worker.metric('etracker_peers{family="ipv6",role="leecher"}') == 1
    assert await worker.metric("etracker_peers{") == 3
    assert await worker.metric("etracker_keys ") == 3
    assert await worker.metric("etracker_torrents ") == 2
    assert await worker.metric("etracker_sweeper_due_swarms ") == 1
    assert 90 < await worker.metric("etracker_sweeper_delay_seconds ") < 200
    assert await worker.metric("etracker_postgres_database_bytes ") > 1_000_000
    assert (
        0
        < await worker.metric("etracker_postgres_connections ")
        < await worker.metric("etracker_postgres_max_connections ")
    )
    assert await worker.metric("etracker_redis_memory_bytes ") > 100_000
    assert await worker.metric("etracker_redis_clients ") > 0


async def test_a_census_costs_the_same_however_many_swarms_there_are(redis_client: Redis) -> None:
    """The kind: no command of the census may touch every swarm or every peer."""
    commands = []
    for swarms in (2_000, 20_000):
        await fill(redis_client, swarms)
        await redis_client.config_resetstat()
        totals = await count_swarms(redis_client, time.time())
        assert totals.swarms == swarms
        stats = await redis_client.info("commandstats")
        commands.append(sum(one["calls"] for one in stats.values()))
    assert commands[1] <= commands[0] + 2 * SAMPLED_SWARMS
    assert commands[1] < 3 * 256 + 5 * SAMPLED_SWARMS + SAMPLED_RECORDS


async def fill(client: Redis, swarms: int) -> None:
    """Make swarms of a seeder each, as far as the census looks at them."""
    pipeline = client.pipeline(transaction=False)
    for tag in range(256):
        of_tag = [bytes([tag]) + number.to_bytes(19, "big") for number in range(tag, swarms, 256)]
        pipeline.zadd(redis_keys.ALL_DUE[tag], dict.fromkeys(of_tag, time.time() + 900))
        pipeline.hset(redis_keys.ALL_TOTALS[tag], mapping={"s": len(of_tag), "l": 0, "w": len(of_tag)})
    await pipeline.execute()
