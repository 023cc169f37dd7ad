"""The admin API in the test's own process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
