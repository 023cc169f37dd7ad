"""The admin API in the test's own process."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from asgi_lifespan import LifespanManager
from httpx import ASGITransport, AsyncClient

from etracker_admin_api.app import create_app
from etracker_admin_api.settings import AdminSettings

API_KEY = "an api key, as an operator chose it"
AUTHORIZED = {"Authorization": API_KEY}


@asynccontextmanager
async def serving(settings: AdminSettings, client_address: str = "203.0.113.7") -> AsyncIterator[AsyncClient]:
    """Run the application; yield a client whose requests come from an address."""
    async with serving_many(settings) as client_from, client_from(client_address) as client:
        yield client


@asynccontextmanager
async def serving_many(settings: AdminSettings) -> AsyncIterator[Callable[[str], AsyncClient]]:
    """Run the application; yield a function that returns a client whose requests come from an address."""
    async with LifespanManager(create_app(settings)) as manager:

        def client_from(address: str) -> AsyncClient:
            transport = ASGITransport(manager.app, client=(address, 5000))
            return AsyncClient(transport=transport, base_url="http://tracker.test")

        yield client_from


async def audit(database: asyncpg.Connection) -> Sequence[tuple[str, str, dict[str, Any]]]:
    rows = await database.fetch("SELECT action, target, detail FROM audit_log ORDER BY id")
    return [(row["action"], row["target"], json.loads(row["detail"])) for row in rows]
