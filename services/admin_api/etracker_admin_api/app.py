"""The composition root: settings in, application out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, FastAPI
from prometheus_client import generate_latest
from structlog import get_logger

from etracker_admin_api.adapters.address_limit import RedisAddressLimit
from etracker_admin_api.adapters.audit import PostgresAuditLog
from etracker_admin_api.adapters.catalogue import PostgresCatalogue
from etracker_admin_api.adapters.database import Database
from etracker_admin_api.adapters.download_limit import RedisDownloadLimit
from etracker_admin_api.adapters.first_key import first_key
from etracker_admin_api.adapters.history import PostgresHistory
from etracker_admin_api.adapters.key_register import PostgresKeyRegister
from etracker_admin_api.adapters.keys import PostgresKeys, PostgresPruner
from etracker_admin_api.adapters.live_counts import RedisLiveCounts
from etracker_admin_api.adapters.operators import PostgresOperators
from etracker_admin_api.adapters.services import HttpServices, describe_settings, shown_metrics
from etracker_admin_api.adapters.setting_descriptions import load_descriptions
from etracker_admin_api.adapters.standings import ScoringStandings
from etracker_admin_api.adapters.stored_files import PostgresStoredFiles
from etracker_admin_api.adapters.stores import Stores
from etracker_admin_api.adapters.swarm_peers import RedisSwarmPeers
from etracker_admin_api.adapters.torrent_lists import PostgresTorrentLists
from etracker_admin_api.adapters.torrent_parser import ProcessTorrentParser
from etracker_admin_api.background import Work, running
from etracker_admin_api.domain.system import ServiceState
from etracker_admin_api.metrics import Metrics
from etracker_admin_api.ports import DatabaseUnavailableError, Pruner
from etracker_admin_api.routes.callers import Callers
from etracker_admin_api.routes.cors import allow_frontend
from etracker_admin_api.routes.head_requests import HeadRequests
from etracker_admin_api.routes.infohashes import infohashes_router
from etracker_admin_api.routes.keys import keys_router
from etracker_admin_api.routes.observation import Observation
from etracker_admin_api.routes.problems import add_problem_handlers
from etracker_admin_api.routes.roles import Roles
from etracker_admin_api.routes.statistics import statistics_router
from etracker_admin_api.routes.torrent_files import torrent_files_router
from etracker_admin_api.routes.unread_bodies import UnreadBodies
from etracker_admin_api.routes.v1.document import DocumentedApp
from etracker_admin_api.routes.v1.infohashes import (
    added_infohashes_router,
    listed_infohashes_router,
    public_infohashes_router,
)
from etracker_admin_api.routes.v1.keys import operators_keys_router, own_keys_router
from etracker_admin_api.routes.v1.operators import audit_router, operators_router
from etracker_admin_api.routes.v1.standing import standing_router
from etracker_admin_api.routes.v1.statistics import statistics_v1_router
from etracker_admin_api.routes.v1.swarms import swarms_router
from etracker_admin_api.routes.v1.system import system_router
from etracker_admin_api.routes.v1.torrents import torrents_v1_router
from etracker_admin_api.settings import AdminSettings
from etracker_admin_api.use_cases.authentication import Authentication
from etracker_admin_api.use_cases.pruning import prune_keys
from etracker_admin_api.use_cases.room import Room
from etracker_admin_api.use_cases.statistics import CountStatistics
from etracker_admin_api.use_cases.system import System
from etracker_admin_api.use_cases.torrent_files import Downloads, Uploads
from etracker_admin_api.use_cases.tracker_statistics import Sampling, TrackerStatistics
from etracker_shared.health import health_router
from etracker_shared.redis_connections import connect_redis
from etracker_shared.told_settings import tell_settings

PRUNE_EVERY_SECONDS = 24 * 3600
UPLOADS_AT_ONCE = 4
"""Large bodies in memory at once: each up to 16 MiB, a few times."""
UPLOAD_WAIT_SECONDS = 2

log = get_logger("admin_api")


def create_app(settings: AdminSettings) -> FastAPI:
    """Build the admin API; it connects when it is asked something, so it starts while everything is down."""
    parts = Parts(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        sampling = Sampling(parts.count, parts.history, settings.sample_seconds)
        pruner = PostgresPruner(parts.database)
        prune = partial(_prune_daily, pruner, parts.metrics)
        outages = (DatabaseUnavailableError,)
        async with running(Work("pruning", prune, outages), Work("sampling", sampling.run, outages)):
            yield
        await parts.close()

    app = DocumentedApp(
        title="etracker admin API",
        description="Allowlist, announce keys, torrent files and statistics of an etracker.",
        version="1",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    allow_frontend(app, settings.frontend_hostname)
    app.add_middleware(Observation, metrics=parts.metrics)
    app.add_middleware(HeadRequests)
    app.add_middleware(UnreadBodies)
    add_problem_handlers(app)
    for router in (*_original_routers(parts), *_v1_routers(parts)):
        app.include_router(router)
    app.include_router(health_router({"postgres": parts.database.is_ready}, parts.metrics.registry, settings))
    return app


class Parts:
    """What the routes are built of."""

    def __init__(self, settings: AdminSettings) -> None:
        self.settings = settings
        self.database, self.redis, self.metrics = Database(settings), connect_redis(settings), Metrics()
        self.catalogue, self.keys = PostgresCatalogue(self.database), PostgresKeys(self.database)
        self.lists, self.history = PostgresTorrentLists(self.database), PostgresHistory(self.database)
        live = RedisLiveCounts(self.redis)
        self.count = CountStatistics(self.catalogue.count, live.totals)
        self.key_limit = RedisAddressLimit(settings, settings.key_rate, "keys")
        self.failures = RedisAddressLimit(settings, settings.failure_rate, "failures")
        self.callers = Callers(settings.trusted_networks, settings.frontend_hostname)
        self.operators = PostgresOperators(self.database)
        authentication = Authentication(first_key(settings), self.operators, self.keys, self.failures)
        self.roles = Roles(authentication, self.callers)
        self.services = HttpServices(settings.services)
        self.standings = ScoringStandings(settings.scoring_url)
        self.room = Room(UPLOADS_AT_ONCE, UPLOAD_WAIT_SECONDS)
        parser = ProcessTorrentParser()
        self.uploads = Uploads(self.catalogue, parser, self.room, self.count.changed_here, self.metrics)
        self.download_rate = RedisAddressLimit(settings, settings.download_rate, "downloads")
        limit = RedisDownloadLimit(self.redis, self.download_rate, settings.downloads_at_once)
        self.downloads = Downloads(PostgresStoredFiles(self.database), self.keys, parser, limit, self.metrics)

    async def close(self) -> None:
        """Close every connection."""
        await self.key_limit.close()
        await self.failures.close()
        await self.download_rate.close()
        await self.services.close()
        await self.standings.close()
        await self.redis.aclose()
        await self.database.close()


def _original_routers(parts: Parts) -> Iterator[APIRouter]:
    changed = parts.count.changed_here
    yield statistics_router(parts.count)
    yield keys_router(parts.keys, parts.key_limit, parts.callers, parts.metrics)
    yield infohashes_router(parts.catalogue, changed, parts.roles)
    yield torrent_files_router(parts.uploads, parts.downloads, parts.roles, parts.callers)


def _v1_routers(parts: Parts) -> Iterator[APIRouter]:
    changed = parts.count.changed_here
    yield statistics_v1_router(TrackerStatistics(parts.count, parts.history))
    yield public_infohashes_router(parts.lists)
    register = PostgresKeyRegister(parts.database)
    yield own_keys_router(
        parts.keys, register, parts.key_limit, roles=parts.roles, callers=parts.callers, metrics=parts.metrics
    )
    yield standing_router(parts.standings, parts.roles)
    yield operators_keys_router(register, parts.roles, parts.callers)
    yield operators_router(parts.operators, parts.roles)
    audit_log = PostgresAuditLog(parts.database)
    yield swarms_router(RedisSwarmPeers(parts.redis, parts.database), parts.lists, audit_log, parts.roles)
    yield system_router(_system(parts), load_descriptions(), parts.roles)
    yield audit_router(audit_log, parts.roles)
    yield added_infohashes_router(parts.catalogue, parts.lists, changed, parts.roles, parts.room)
    yield listed_infohashes_router(parts.catalogue, parts.lists, changed, parts.roles)
    yield torrents_v1_router(parts.uploads, parts.downloads, parts.lists, parts.roles, parts.callers)


def _system(parts: Parts) -> System:
    async def own_state() -> ServiceState:
        ready = await parts.database.is_ready()
        metrics = shown_metrics(generate_latest(parts.metrics.registry).decode())
        return ServiceState("admin_api", ready, "" if ready else "Not ready: postgres.", datetime.now(UTC), metrics)

    own_settings = partial(describe_settings, "admin_api", tell_settings(parts.settings))
    return System(parts.services, Stores(parts.database, parts.redis), own_state, own_settings)


async def _prune_daily(pruner: Pruner, metrics: Metrics) -> None:
    while True:
        pruned = await prune_keys(pruner)
        if pruned is not None:
            metrics.pruned.inc(pruned)
            log.info("keys_pruned", keys=pruned)
        await asyncio.sleep(PRUNE_EVERY_SECONDS)
