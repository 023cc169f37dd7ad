"""Takes a census of the tracker at regular intervals, for its metrics."""

import asyncio
import time

import asyncpg
from redis.asyncio import Redis, RedisCluster

from etracker_scoring.worker.census import Census, count_stored, count_swarms, look_at_redis
from etracker_scoring.worker.upkeep.census_metrics import CensusMetrics


class CensusTaker:
    """Keeps the metrics of the whole tracker current while this worker has the job."""

    def __init__(
        self, client: Redis | RedisCluster, pool: asyncpg.Pool, metrics: CensusMetrics, pause_seconds: float
    ) -> None:
        self._client = client
        self._pool = pool
        self._metrics = metrics
        self._pause_seconds = pause_seconds

    async def run(self) -> None:
        """Count until cancelled. Afterwards this worker shows no numbers: another one may have newer ones.

        Raises:
            PostgresUnavailableError: Postgres isn't available.
            StreamsUnavailableError: Redis isn't available.
        """
        try:
            while True:
                self._metrics.latest = await self._count()
                await asyncio.sleep(self._pause_seconds)
        finally:
            self._metrics.latest = None

    async def _count(self) -> Census:
        return Census(
            swarms=await count_swarms(self._client, time.time()),
            stored=await count_stored(self._pool),
            redis=await look_at_redis(self._client),
        )
