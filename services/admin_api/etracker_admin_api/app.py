"""The composition root: settings in, application out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from structlog import get_logger

from etracker_admin_api.adapters.catalogue import PostgresCatalogue
from etracker_admin_api.adapters.database import Database
from etracker_admin_api.adapters.key_limit import RedisKeyLimit
from etracker_admin_api.adapters.keys import PostgresKeys, PostgresPruner
from etracker_admin_api.adapters.live_counts import RedisLiveCounts
from etracker_admin_api.metrics import Metrics
from etracker_admin_api.ports import DatabaseUnavailableError, Pruner
from etracker_admin_api.routes.callers import Callers, require_api_key
from etracker_admin_api.routes.infohashes import infohashes_router
from etracker_admin_api.routes.keys import keys_router
from etracker_admin_api.routes.observation import Observation
from etracker_admin_api.routes.pages import pages_router
from etracker_admin_api.routes.problems import add_problem_handlers
from etracker_admin_api.routes.statistics import statistics_router
from etracker_admin_api.routes.torrent_files import torrent_files_router
from etracker_admin_api.settings import AdminSettings
from etracker_admin_api.use_cases.pruning import prune_keys
from etracker_admin_api.use_cases.statistics import CountStatistics
from etracker_admin_api.use_cases.torrent_files import TorrentFiles
from etracker_shared.health import health_router
from etracker_shared.notifications import INFOHASHES_CHANNEL
from etracker_shared.postgres import Listener
from etracker_shared.redis_connections import connect_redis

PRUNE_EVERY_SECONDS = 24 * 3600
PRUNE_RETRY_SECONDS = 60

log = get_logger("admin_api")


def create_app(settings: AdminSettings) -> FastAPI:
    """Build the admin API; it connects when it is asked something, so it starts while everything is down."""
    database, redis, metrics = Database(settings), connect_redis(settings), Metrics()
    catalogue, keys = PostgresCatalogue(database), PostgresKeys(database)
    count = CountStatistics(catalogue.count, RedisLiveCounts(redis).totals, is_watched=lambda: listener.connected)
    listener = Listener(settings, [INFOHASHES_CHANNEL], lambda _channel, _hashes: count.catalogue_changed())
    limit = RedisKeyLimit(settings, settings.key_rate)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        pruner = PostgresPruner(database)
        async with running(listener.run), running(lambda: _prune_daily(pruner, metrics)):
            yield
        await limit.close()
        await redis.aclose()
        await database.close()

    app = FastAPI(
        title="etracker admin API",
        description="Allowlist, announce keys, torrent files and statistics of an etracker.",
        version="1",
        lifespan=lifespan,
    )
    app.add_middleware(Observation, metrics=metrics)
    add_problem_handlers(app)
    callers = Callers(settings.trusted_networks, settings.frontend_hostname)
    restricted = require_api_key(settings.authorization.get_secret_value())
    files = TorrentFiles(catalogue, keys)
    app.include_router(statistics_router(count))
    app.include_router(keys_router(keys, limit, callers, metrics))
    app.include_router(infohashes_router(catalogue, count.changed_here, restricted))
    app.include_router(torrent_files_router(files, count.changed_here, restricted, callers, metrics))
    app.include_router(pages_router(catalogue, count, callers))
    app.include_router(health_router({"postgres": database.is_ready}, metrics.registry))
    return app


@contextlib.asynccontextmanager
async def running(work: Callable[[], Awaitable[Any]]) -> AsyncIterator[None]:
    """Run something in the background until the block ends."""
    task = asyncio.ensure_future(work())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _prune_daily(pruner: Pruner, metrics: Metrics) -> None:
    while True:
        try:
            pruned = await prune_keys(pruner)
        except DatabaseUnavailableError:
            await asyncio.sleep(PRUNE_RETRY_SECONDS)
            continue
        if pruned is not None:
            metrics.pruned.inc(pruned)
            log.info("keys_pruned", keys=pruned)
        await asyncio.sleep(PRUNE_EVERY_SECONDS)
