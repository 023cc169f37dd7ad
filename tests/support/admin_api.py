"""The admin API in the test's own process."""

import json
from collections.abc import AsyncIterator, Sequence
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
    async with LifespanManager(create_app(settings)) as manager:
        transport = ASGITransport(manager.app, client=(client_address, 5000))
        async with AsyncClient(transport=transport, base_url="http://tracker.test") as client:
            yield client


async def audit(database: asyncpg.Connection) -> Sequence[tuple[str, str, dict[str, Any]]]:
    rows = await database.fetch("SELECT action, target, detail FROM audit_log ORDER BY id")
    return [(row["action"], row["target"], json.loads(row["detail"])) for row in rows]
