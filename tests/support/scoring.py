"""Scoring's two programs in the test's own process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from asgi_lifespan import LifespanManager
from httpx import ASGITransport, AsyncClient
from redis.asyncio import Redis

from etracker_scoring.api.app import create_app
from etracker_scoring.settings import ScoringSettings, WorkerSettings
from etracker_shared.agreements.facts import SHARDS, Fact
from etracker_shared.agreements.tiers import TIERS_PATH, TiersResponse, Treatment
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.facts import entry_commands
from tests.support.waiting import eventually


def worker_settings(postgres: PostgresSettings, redis: RedisSettings, **changes: object) -> WorkerSettings:
    quick = {"worker_poll_seconds": 0.02, "counts_sync_seconds": 0.1}
    return WorkerSettings(**{**postgres.model_dump(), **redis.model_dump(), **quick, **changes})


async def add_facts(client: Redis, *facts: Fact) -> None:
    """Write facts into the streams, one entry per shard."""
    for key, field, value in entry_commands(*facts):
        await client.xadd(key, {field: value})


class RunningWorker:
    """A worker; ``metric`` reads one of its metrics."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client

    async def metric(self, name: str) -> float:
        text = (await self.client.get("/metrics")).text
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))

    async def shards(self) -> int:
        """Return how many shards it holds."""
        return int(await self.metric("etracker_scoring_shards_held"))

    async def holds_all(self) -> bool:
        return await self.shards() == SHARDS

    async def settled(self, facts: int, name: str = "etracker_scoring_facts_total") -> None:
        """Wait until it has processed this number of facts."""

        async def enough() -> bool:
            return await self.metric(name) >= facts

        await eventually(enough, f"{facts} facts are settled")


StartWorker = Callable[..., Awaitable[RunningWorker]]

Settle = Callable[..., Awaitable[None]]


@asynccontextmanager
async def serving_tiers(postgres: PostgresSettings, **changes: object) -> AsyncIterator[AsyncClient]:
    """Serve the API role; yield a client once it is ready."""
    app = create_app(ScoringSettings(**{**postgres.model_dump(), **changes}))
    async with LifespanManager(app), AsyncClient(transport=ASGITransport(app=app), base_url="http://scoring") as client:

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await eventually(ready, "the API is ready")
        yield client


async def standing_of(client: AsyncClient, key: str, prefix: bytes = b"") -> Treatment:
    """Ask as announce does."""
    key_hash = hash_announce_key(key).hex()
    prefixes = {key_hash: prefix.hex()} if prefix else {}
    answer = await client.post(TIERS_PATH, json={"keys": [key_hash], "prefixes": prefixes})
    assert answer.status_code == 200, answer.text
    return TiersResponse.model_validate_json(answer.content).peers[0]
