"""A tracker's admin API and scoring API in the test's own process, for tests of stolen keys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
import uvicorn
from asgi_lifespan import LifespanManager
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr

from etracker_admin_api.app import create_app
from etracker_admin_api.settings import AdminSettings
from etracker_scoring.api.app import create_app as create_scoring
from etracker_scoring.settings import ScoringSettings
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.processes import free_port
from tests.support.waiting import eventually

API_KEY = "an api key, as an operator chose it"


class Holder:
    """Someone who has announce keys and recovery codes: the owner, or a thief."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client

    async def call(self, method: str, path: str, key: str | None = None, **body: Any) -> httpx.Response:
        """Call a route under /api/v1; ``key``: the announce key."""
        headers = {"X-Announce-Key": key} if key else {}
        return await self.client.request(method, f"/api/v1/{path}", headers=headers, json=body or None)

    async def get_key(self) -> tuple[str, str]:
        """Return a new key and its recovery code."""
        new = (await self.call("POST", "keys")).json()
        return new["announce_key"], new["recovery_code"]

    async def rotate(self, key: str) -> str:
        response = await self.call("POST", "key/rotate", key)
        assert response.status_code == 200, response.text
        return str(response.json()["announce_key"])

    async def undo(self, former_key: str) -> int:
        return (await self.call("POST", "key/rotation/undo", former_key)).status_code

    async def recover(self, code: str) -> str:
        response = await self.call("POST", "key/recover", recovery_code=code)
        assert response.status_code == 200, response.text
        return str(response.json()["announce_key"])

    async def works(self, key: str) -> bool:
        return (await self.call("GET", "key/recovery", key)).status_code == 200

    async def disown(self, key: str, code: str, since: datetime) -> httpx.Response:
        return await self.call("POST", "key/disown", key, recovery_code=code, since=since.isoformat())

    async def standing(self, key: str) -> dict[str, Any]:
        """Return the key's standing, as its page shows it."""
        response = await self.call("GET", "standing", key)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def operate(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Call a route as an operator."""
        headers = {"Authorization": API_KEY}
        return await self.client.request(method, f"/api/v1/{path}", headers=headers, json=body or None)


@asynccontextmanager
async def serving_holders(postgres: PostgresSettings, redis: RedisSettings, **changes: Any) -> AsyncIterator[Holder]:
    """Serve the admin API, and behind it a scoring API on a port of its own."""
    port = free_port()
    scoring = create_scoring(ScoringSettings(**postgres.model_dump()))
    server = uvicorn.Server(uvicorn.Config(scoring, port=port, log_config=None))
    settings = AdminSettings(
        **{
            **postgres.model_dump(),
            **redis.model_dump(),
            "authorization": SecretStr(API_KEY),
            "scoring_url": f"http://127.0.0.1:{port}",
            "key_limit": "1000/minute",
            **changes,
        }
    )
    serving = asyncio.create_task(server.serve())
    try:
        async with LifespanManager(create_app(settings)) as manager:
            await eventually(lambda: _is_started(server), "the scoring API is up")
            transport = ASGITransport(manager.app, client=("203.0.113.7", 5000))
            async with AsyncClient(transport=transport, base_url="http://tracker.test") as client:
                yield Holder(client)
    finally:
        server.should_exit = True
        await serving


async def _is_started(server: uvicorn.Server) -> bool:
    return server.started
