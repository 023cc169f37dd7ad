"""The worker program: a small HTTP service for health and metrics that settles facts in the background.

Any number of workers may run; they share the shards of the fact stream.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Protocol

import asyncpg
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis, RedisCluster

from etracker_scoring.errors import BatchConflictError, StreamsUnavailableError
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.settings import WorkerSettings
from etracker_scoring.stored.community import Community
from etracker_scoring.stored.yardsticks import YardstickFollower
from etracker_scoring.worker.freezing import Freezer
from etracker_scoring.worker.leadership import Claims, Job, Leadership
from etracker_scoring.worker.plausibility import Limits
from etracker_scoring.worker.readers import make_readers
from etracker_scoring.worker.settle import Settler
from etracker_scoring.worker.store import Store
from etracker_scoring.worker.stream import FactStreams
from etracker_scoring.worker.swarms import RedisSwarms
from etracker_scoring.worker.upkeep.archive import Archive
from etracker_scoring.worker.upkeep.balances import Balances
from etracker_scoring.worker.upkeep.census import CensusTaker
from etracker_scoring.worker.upkeep.census_metrics import CensusMetrics
from etracker_scoring.worker.upkeep.counts import CountsSync
from etracker_scoring.worker.upkeep.folding import Folding
from etracker_scoring.worker.upkeep.recalibration import NightlyRecalibration
from etracker_scoring.worker.upkeep.suspects import Release, States, Suspects
from etracker_scoring.worker.upkeep.torrent_counts import TorrentCounts
from etracker_shared.agreements.anomalies import DetectionMode
from etracker_shared.language.outages import PostgresUnavailableError
from etracker_shared.plumbing.background import Work, running
from etracker_shared.plumbing.health import health_router
from etracker_shared.plumbing.pool_metrics import observe_postgres, observe_redis, read_pool
from etracker_shared.plumbing.postgres import create_pool
from etracker_shared.plumbing.process_metrics import create_registry
from etracker_shared.plumbing.redis_connections import REDIS_UNAVAILABLE, connect_redis

PAUSE_SECONDS = 0.5

OUTAGES = (PostgresUnavailableError, StreamsUnavailableError, BatchConflictError)
"""Temporary outages: the facts wait in the stream."""


class Runnable(Protocol):
    """Periodic work."""

    async def run(self) -> None:
        """Work until it is done or cancelled."""
        ...


class Worker:
    """Works until it is stopped, through outages of Postgres and Redis."""

    def __init__(self, settings: WorkerSettings, metrics: WorkerMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._leadership = Leadership(settings)
        self._redis: Redis | RedisCluster = connect_redis(settings, timeout_seconds=5.0)
        self._swarms = RedisSwarms(self._redis)
        self._pool = create_pool(settings, max_size=2, command_timeout=60.0)
        self._census = CensusMetrics()
        self._yardsticks = YardstickFollower(
            Community(self._pool), settings.score, recalibrate=settings.recalibrate, policy=None, active=timedelta()
        )

    def _parameters(self) -> ScoreParameters:
        return self._yardsticks.current.parameters

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Work until the block ends."""
        await self._pool  # opens the pool, not yet a connection
        try:
            async with running(Work("worker", self._counting(self._work), OUTAGES, PAUSE_SECONDS)):
                yield
        finally:
            self._pool.terminate()
            await self._redis.aclose()

    async def _work(self) -> None:
        """Join the other workers, and work until the connection is lost."""
        await self._yardsticks.refresh()
        try:
            async with self._leadership.join() as (connection, claims), running(*self._upkeep(claims)):
                await self._settler(connection, claims).run()
        finally:
            self._metrics.shards_held.set(0)

    def _counting(self, run: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def counted() -> None:
            try:
                await run()
            except OUTAGES as error:
                self._metrics.outages.labels(_cause_of(error)).inc()
                raise

        return counted

    def _settler(self, connection: asyncpg.Connection, claims: Claims) -> Settler:
        return Settler(
            FactStreams(self._redis),
            Store(connection, self._metrics),
            claims,
            make_readers(self._settings, self._parameters, self._swarms, self._metrics),
            self._metrics,
            max_facts=self._settings.worker_batch_facts,
            poll_seconds=self._settings.worker_poll_seconds,
            list_all=self._settings.disable_allowlist,
            limits=Limits(self._settings.max_bytes_per_second),
            parameters=self._settings.score,
        )

    def _upkeep(self, claims: Claims) -> list[Work]:
        """Return the work that runs alongside the settling of facts; a shared job begins when this worker gets it."""
        settings, pool = self._settings, self._pool

        def job(job: Job, run: Callable[[], Runnable], name: str = "") -> Work:
            async def run_when_held() -> None:
                await claims.held(job)
                await run().run()

            return Work(name or job.name.lower(), self._counting(run_when_held), OUTAGES, PAUSE_SECONDS)

        works = [
            job(
                Job.COUNTS,
                lambda: CountsSync(self._swarms, TorrentCounts(pool), self._metrics, settings.counts_sync_seconds),
            ),
            job(Job.CENSUS, lambda: CensusTaker(self._redis, pool, self._census, settings.counts_sync_seconds)),
            job(
                Job.FOLDING,
                lambda: Folding(
                    Archive(pool),
                    timedelta(days=settings.fact_retention_days),
                    timedelta(seconds=settings.guests_last_seconds),
                ),
            ),
        ]
        works += self._detection(job)
        if settings.recalibrate:
            works += [
                job(Job.RECALIBRATION, lambda: NightlyRecalibration(Community(pool), settings.score)),
                Work("thresholds", self._yardsticks.run, OUTAGES),
            ]
        return works

    def _detection(self, job: Callable[[Job, Callable[[], Runnable], str], Work]) -> list[Work]:
        settings, pool, mode = self._settings, self._pool, self._settings.detection
        freezer = Freezer(self._parameters, enforced=mode is DetectionMode.ENFORCE)
        suspects = Suspects(pool, freezer, settings.anomaly, self._metrics)
        if mode is DetectionMode.OFF:
            return [job(Job.DETECTION, lambda: Release(suspects), "release")]
        streams = FactStreams(self._redis)
        return [
            job(Job.DETECTION, lambda: States(suspects), "anomalies"),
            job(Job.DETECTION, lambda: Balances(pool, streams, freezer, settings.anomaly, self._metrics), "balances"),
        ]

    def observe(self, registry: CollectorRegistry) -> None:
        """Add the metrics of this worker's connections and of its census."""
        registry.register(self._census)
        observe_postgres(registry, {"upkeep": partial(read_pool, self._pool)})
        observe_redis(registry, self._redis)

    async def postgres_answers(self) -> bool:
        """Return whether this worker is one of those that share the shards."""
        return self._leadership.connected

    async def redis_answers(self) -> bool:
        """Return whether Redis answers."""
        try:
            return bool(await self._redis.ping())
        except REDIS_UNAVAILABLE:
            return False

    async def reads_every_fact(self) -> bool:
        """Return whether no shard contains facts of a newer version."""
        return not self._leadership.outdated


def _cause_of(error: Exception) -> str:
    if isinstance(error, BatchConflictError):
        return "conflict"
    return "redis" if isinstance(error, StreamsUnavailableError) else "postgres"


def create_worker_app(settings: WorkerSettings) -> FastAPI:
    """Build the worker's application; facts are settled in its lifespan."""
    registry = create_registry("etracker-scoring")
    worker = Worker(settings, WorkerMetrics(registry))
    worker.observe(registry)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with worker.at_work():
            yield

    app = FastAPI(title="etracker scoring worker", lifespan=lifespan, redirect_slashes=False)
    checks = {
        "postgres": worker.postgres_answers,
        "redis": worker.redis_answers,
        "fact_version": worker.reads_every_fact,
    }
    app.include_router(health_router(checks, registry, settings))
    return app
