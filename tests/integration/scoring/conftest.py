"""A worker in the test's own process, and short ways to ask Postgres and feed Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from asgi_lifespan import LifespanManager
from httpx import ASGITransport, AsyncClient
from redis.asyncio import Redis

from etracker_scoring.worker.program import create_worker_app
from etracker_shared.agreements.facts import Fact
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.scoring import RunningWorker, Settle, StartWorker, add_facts, worker_settings


@pytest.fixture
async def redis_client(redis_settings: RedisSettings) -> AsyncIterator[Redis]:
    client: Redis = Redis.from_url(redis_settings.redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def start_worker(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings
) -> AsyncIterator[Callable[..., Awaitable[RunningWorker]]]:
    """Start workers with changed settings; all stop with the test."""
    managers: list[LifespanManager] = []

    async def start(**changes: object) -> RunningWorker:
        app = create_worker_app(worker_settings(postgres_settings, redis_settings, **changes))
        manager = LifespanManager(app)
        await manager.__aenter__()
        managers.append(manager)
        return RunningWorker(AsyncClient(transport=ASGITransport(app=app), base_url="http://worker"))

    yield start
    for manager in managers:
        await manager.__aexit__()


@pytest.fixture
async def settle(redis_client: Redis, start_worker: StartWorker) -> Settle:
    """Put facts into the streams and wait until a worker has settled them."""
    worker = await start_worker(max_bytes_per_second=2**62)  # tests report what they like
    total = 0

    async def put(*facts: Fact) -> None:
        nonlocal total
        total += len(facts)
        await add_facts(redis_client, *facts)
        await worker.settled(total)

    return put
