"""The worker role: a small HTTP service for health and metrics, with the consumer of facts inside.

Any number may run; one leads, the others stand by and take over within seconds.
"""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis, RedisCluster
from structlog import get_logger

from etracker_scoring.adapters.accounts import PostgresAccounts
from etracker_scoring.adapters.archive import PostgresArchive
from etracker_scoring.adapters.community import PostgresCommunity
from etracker_scoring.adapters.fact_streams import RedisFactStreams
from etracker_scoring.adapters.leadership import Leadership
from etracker_scoring.adapters.swarms import RedisSwarms
from etracker_scoring.adapters.torrents import PostgresTorrents
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.ports import AccountsConflictError, AccountsUnavailableError
from etracker_scoring.settings import WorkerSettings
from etracker_scoring.use_cases.recalibrate import NightlyRecalibration
from etracker_scoring.use_cases.settle_facts import FactSettler
from etracker_scoring.use_cases.sync_counts import CountsSync
from etracker_scoring.use_cases.tidy_up import Tidying
from etracker_shared.health import health_router
from etracker_shared.postgres import create_pool
from etracker_shared.redis_connections import REDIS_UNAVAILABLE, connect_redis
from etracker_shared.serving import serve
from etracker_shared.settings import load_settings

PAUSE_SECONDS = 0.5

log = get_logger("worker")


class Worker:
    """Leads or stands by for as long as it runs, whatever Postgres and Redis do meanwhile."""

    def __init__(self, settings: WorkerSettings, metrics: WorkerMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._leadership = Leadership(settings)
        self._waiting = False
        self._redis: Redis | RedisCluster = connect_redis(settings, timeout_seconds=5.0)
        self._pool = create_pool(settings, max_size=2, command_timeout=60.0)

    async def run(self) -> None:
        """Lead or stand by until cancelled."""
        await self._pool  # connects when asked
        try:
            while True:
                await self._lead_while_possible()
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._pool.terminate()
            await self._redis.aclose()

    async def _lead_while_possible(self) -> None:
        try:
            async with self._leadership.acquire() as connection:
                log.info("leading")
                self._waiting = False
                self._metrics.leader.set(1)
                await self._lead(connection)
        except* (AccountsUnavailableError, AccountsConflictError) as errors:
            if not self._waiting:
                log.warning("waiting_for_postgres", reason=[str(error) for error in errors.exceptions])
            self._waiting = True
        except* Exception:  # whatever it is, the facts wait in the stream and are tried again
            log.exception("worker_failed")
        finally:
            self._metrics.leader.set(0)

    async def _lead(self, connection: asyncpg.Connection) -> None:
        swarms = RedisSwarms(self._redis)
        parameters = self._settings.score
        settler = FactSettler(
            RedisFactStreams(self._redis),
            PostgresAccounts(connection, self._metrics),
            swarms,
            self._metrics,
            max_facts=self._settings.worker_batch_facts,
            poll_seconds=self._settings.worker_poll_seconds,
            list_all=self._settings.disable_allowlist,
            keep_facts=self._settings.fact_retention_days > 0,
            parameters=parameters,
        )
        counts = CountsSync(swarms, PostgresTorrents(self._pool), self._metrics, self._settings.counts_sync_seconds)
        tidying = Tidying(PostgresArchive(self._pool), timedelta(days=self._settings.fact_retention_days))
        async with asyncio.TaskGroup() as group:
            group.create_task(settler.run())
            group.create_task(counts.run())
            group.create_task(tidying.run())
            if self._settings.recalibrate:
                community = PostgresCommunity(self._pool)
                group.create_task(NightlyRecalibration(community, parameters, settler.adjust).run())

    async def postgres_answers(self) -> bool:
        """Tell whether this worker leads or stands by."""
        return self._leadership.connected

    async def redis_answers(self) -> bool:
        """Tell whether Redis answers."""
        try:
            return bool(await self._redis.ping())
        except REDIS_UNAVAILABLE:
            return False


def create_worker_app(settings: WorkerSettings) -> FastAPI:
    """Build the worker's application; the consumer runs in its lifespan."""
    registry = CollectorRegistry()
    worker = Worker(settings, WorkerMetrics(registry))

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(worker.run())
        yield
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    app = FastAPI(title="etracker scoring worker", lifespan=lifespan, redirect_slashes=False)
    checks = {"postgres": worker.postgres_answers, "redis": worker.redis_answers}
    app.include_router(health_router(checks, registry, settings))
    return app


if __name__ == "__main__":
    # A batch makes some hundred thousand short-lived tuples: collecting after every 700 costs a third of the worker.
    gc.set_threshold(100_000, 10, 10)
    serve(create_worker_app, load_settings(WorkerSettings))
