import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from asgi_lifespan import LifespanManager
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr

from etracker_admin_api.app import create_app
from etracker_admin_api.settings import AdminSettings
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings

API_KEY = "an api key, as an operator chose it"
AUTHORIZED = {"Authorization": API_KEY}


@pytest.fixture
def admin_settings(postgres_settings: PostgresSettings, redis_settings: RedisSettings) -> AdminSettings:
    return AdminSettings(
        **postgres_settings.model_dump(), **redis_settings.model_dump(), authorization=SecretStr(API_KEY)
    )


@asynccontextmanager
async def serving(settings: AdminSettings, client_address: str = "203.0.113.7") -> AsyncIterator[AsyncClient]:
    """Run the application; yield a client whose requests come from an address."""
    async with LifespanManager(create_app(settings)) as manager:
        transport = ASGITransport(manager.app, client=(client_address, 5000))
        async with AsyncClient(transport=transport, base_url="http://tracker.test") as client:
            yield client


async def eventually(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 20.0) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.1)


@pytest.fixture
async def client(admin_settings: AdminSettings) -> AsyncIterator[AsyncClient]:
    async with serving(admin_settings) as client:
        yield client
