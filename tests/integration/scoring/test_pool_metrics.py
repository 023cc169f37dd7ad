"""The metrics of connections are what the libraries' pools hold, including how many requests wait for one."""

import asyncio

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from etracker_shared.plumbing.pool_metrics import observe_postgres, observe_redis, read_pool
from etracker_shared.plumbing.postgres import create_pool
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.waiting import eventually


def pool_metrics(registry: CollectorRegistry) -> tuple[float | None, ...]:
    return (
        registry.get_sample_value("etracker_postgres_pool_connections", {"pool": "one", "state": "used"}),
        registry.get_sample_value("etracker_postgres_pool_connections", {"pool": "one", "state": "idle"}),
        registry.get_sample_value("etracker_postgres_pool_waiting", {"pool": "one"}),
        registry.get_sample_value("etracker_postgres_pool_limit", {"pool": "one"}),
    )


async def test_a_pool_shows_what_is_used_idle_and_waited_for(postgres_settings: PostgresSettings) -> None:
    registry = CollectorRegistry()
    pool = create_pool(postgres_settings, max_size=2)

    async def one_waits() -> bool:
        return pool_metrics(registry) == (2, 0, 1, 2)

    observe_postgres(registry, {"one": lambda: read_pool(pool)})
    assert pool_metrics(registry) == (0, 0, 0, 2)
    async with pool:
        async with pool.acquire(), pool.acquire() as second:
            third = asyncio.create_task(pool.fetchval("SELECT 1"))
            await eventually(one_waits, "one request waits")
            assert await second.fetchval("SELECT 2") == 2
        assert await third == 1
        assert pool_metrics(registry) == (0, 2, 0, 2)


async def test_a_client_of_redis_shows_its_connections(redis_settings: RedisSettings) -> None:
    registry = CollectorRegistry()
    password = redis_settings.redis.get_secret_value() or None
    async with Redis.from_url(redis_settings.redis_url, password=password) as client:
        observe_redis(registry, client)
        await client.ping()
        states = [registry.get_sample_value("etracker_redis_pool_connections", {"state": s}) for s in ("used", "idle")]
        assert states == [0, 1]
