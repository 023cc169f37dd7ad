"""The worker's loop without the worker: the test decides which shards it holds."""

import asyncpg
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.settings import WorkerSettings
from etracker_scoring.worker.leadership import Claims
from etracker_scoring.worker.plausibility import Limits
from etracker_scoring.worker.readers import make_readers
from etracker_scoring.worker.settle import Settler
from etracker_scoring.worker.store import Store
from etracker_scoring.worker.stream import FactStreams
from etracker_scoring.worker.swarms import RedisSwarms
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import SHARDS


class FixedClaims(Claims):
    """Claims some shards, whatever other workers hold."""

    def __init__(self, connection: asyncpg.Connection, shards: set[int]) -> None:
        super().__init__(connection, set())
        self._fixed = shards

    async def renew(self) -> None:
        self.shards = set(self._fixed)


def make_settler(
    connection: asyncpg.Connection, client: Redis, settings: WorkerSettings, shards: set[int], *, max_facts: int
) -> Settler:
    """Make the loop for fixed shards."""
    claims = FixedClaims(connection, shards)
    return make_settler_of(connection, client, settings, FactStreams(client), claims, max_facts=max_facts)


def make_settler_of(
    connection: asyncpg.Connection,
    client: Redis,
    settings: WorkerSettings,
    streams: FactStreams,
    claims: Claims,
    *,
    max_facts: int,
) -> Settler:
    """Make the loop of given parts."""
    metrics = WorkerMetrics(CollectorRegistry())
    return Settler(
        streams,
        Store(connection, metrics),
        claims,
        make_readers(settings, ScoreParameters, RedisSwarms(client), metrics),
        metrics,
        max_facts=max_facts,
        poll_seconds=0.01,
        list_all=False,
        limits=Limits(settings.max_bytes_per_second),
    )


async def all_settled(redis_client: Redis) -> bool:
    return sum([await redis_client.xlen(redis_keys.facts(shard)) for shard in range(SHARDS)]) == 0
