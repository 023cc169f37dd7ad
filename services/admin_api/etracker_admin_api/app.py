"""The composition root: settings in, application out."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, FastAPI
from limits import parse
from prometheus_client import generate_latest

from etracker_admin_api.anomalies import changes as anomalies_changes
from etracker_admin_api.anomalies.appeal_routes import appeals_router, own_anomaly_router
from etracker_admin_api.anomalies.appeals import AppealStore
from etracker_admin_api.anomalies.balance import BalanceStore
from etracker_admin_api.anomalies.client_counts import ClientCounter
from etracker_admin_api.anomalies.clients import ClientStore
from etracker_admin_api.anomalies.decisions import DecisionStore
from etracker_admin_api.anomalies.own_store import OwnAnomalies
from etracker_admin_api.anomalies.routes import anomalies_router, decisions_router
from etracker_admin_api.anomalies.store import AnomalyStore
from etracker_admin_api.anomalies.swarm_routes import balance_router, clients_router
from etracker_admin_api.bans import models as bans_models
from etracker_admin_api.bans.routes import ban_lists_router, bans_router, changing_bans_router
from etracker_admin_api.bans.store import BanStore
from etracker_admin_api.block_lists.routes import block_list_page_router, block_lists_router
from etracker_admin_api.block_lists.store import BlockListStore
from etracker_admin_api.database import Database
from etracker_admin_api.http.address_limit import AddressLimit, OwnWindows
from etracker_admin_api.http.authentication import Authentication
from etracker_admin_api.http.callers import Callers
from etracker_admin_api.http.cors import allow_frontend
from etracker_admin_api.http.document import DocumentedApp
from etracker_admin_api.http.head_requests import HeadRequests
from etracker_admin_api.http.observation import Observation
from etracker_admin_api.http.problems import add_problem_handlers
from etracker_admin_api.http.roles import Roles
from etracker_admin_api.http.room import Room
from etracker_admin_api.http.unread_bodies import UnreadBodies
from etracker_admin_api.keys import models as keys_models
from etracker_admin_api.keys import original as keys_original
from etracker_admin_api.keys import recovery_models
from etracker_admin_api.keys.corrections import KeyCorrections
from etracker_admin_api.keys.debts import KeyDebts
from etracker_admin_api.keys.disowning import Disowning
from etracker_admin_api.keys.generation import KeyGenerator
from etracker_admin_api.keys.pruning import KeyPruner
from etracker_admin_api.keys.recovery import RecoveryStore
from etracker_admin_api.keys.recovery_routes import (
    disowning_router,
    operators_recovery_router,
    recovery_router,
    rotations_router,
)
from etracker_admin_api.keys.rotations import Rotations
from etracker_admin_api.keys.routes import key_corrections_router, operators_keys_router, own_keys_router
from etracker_admin_api.keys.standing_routes import standing_router
from etracker_admin_api.keys.standings import Standings
from etracker_admin_api.keys.store import KeyStore
from etracker_admin_api.metrics import Metrics
from etracker_admin_api.operators import models as operators_models
from etracker_admin_api.operators.audit_log import AuditLog
from etracker_admin_api.operators.first_key import first_key
from etracker_admin_api.operators.routes import audit_router, operators_router
from etracker_admin_api.operators.store import OperatorStore
from etracker_admin_api.prefixes.routes import prefixes_router
from etracker_admin_api.prefixes.store import PrefixStore
from etracker_admin_api.settings import AdminSettings
from etracker_admin_api.statistics import original as statistics_original
from etracker_admin_api.statistics.counting import CountStatistics
from etracker_admin_api.statistics.live_counts import LiveCounts
from etracker_admin_api.statistics.routes import statistics_router
from etracker_admin_api.statistics.sampling import Sampling
from etracker_admin_api.statistics.store import HistoryStore
from etracker_admin_api.statistics.torrent_counts import TorrentCounts
from etracker_admin_api.statistics.tracker import TrackerStatistics
from etracker_admin_api.swarms.routes import swarms_router
from etracker_admin_api.swarms.store import SwarmStore
from etracker_admin_api.system.routes import system_router
from etracker_admin_api.system.services import Services, describe_settings, read_metrics
from etracker_admin_api.system.states import ServiceState
from etracker_admin_api.system.store import StoreStates
from etracker_admin_api.system.survey import Survey
from etracker_admin_api.torrents import models as torrents_models
from etracker_admin_api.torrents import original as torrents_original
from etracker_admin_api.torrents.corrections import TorrentCorrections
from etracker_admin_api.torrents.files.describing import FileDescriber
from etracker_admin_api.torrents.files.download_limit import DownloadLimit
from etracker_admin_api.torrents.files.downloads import Downloads
from etracker_admin_api.torrents.files.original import original_files_router
from etracker_admin_api.torrents.files.parser import TorrentParser
from etracker_admin_api.torrents.files.routes import files_router
from etracker_admin_api.torrents.files.store import FileStore
from etracker_admin_api.torrents.files.uploads import Uploads
from etracker_admin_api.torrents.list_store import TorrentLists
from etracker_admin_api.torrents.routes import adding_router, changing_router, public_router
from etracker_admin_api.torrents.store import TorrentStore
from etracker_shared.agreements.anomalies import DetectionMode
from etracker_shared.language.outages import PostgresUnavailableError
from etracker_shared.plumbing.background import Work, running
from etracker_shared.plumbing.health import health_router
from etracker_shared.plumbing.pool_metrics import observe_postgres, observe_redis
from etracker_shared.plumbing.redis_connections import connect_redis
from etracker_shared.plumbing.told_settings import tell_settings

UPLOADS_AT_ONCE = 4
"""Large bodies in memory at the same time: each takes several times its size, which is at most 16 MiB."""
UPLOAD_WAIT_SECONDS = 2
APPEALS = "10/day"
"""Appeals per key."""
BLOCK_LISTS = "30/hour"
"""Requests for a block list per token and replica; programs look at most every 15 minutes."""


def create_app(settings: AdminSettings) -> FastAPI:
    """Build the admin API. It connects at the first request, so it starts even while everything else is down."""
    parts = Parts(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with running(*_background_work(parts)):
            yield
        await parts.close()

    app = DocumentedApp(
        bodies=(
            *anomalies_changes.BODIES,
            *bans_models.BODIES,
            *keys_models.BODIES,
            *operators_models.BODIES,
            *recovery_models.BODIES,
            *torrents_models.BODIES,
        ),
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
    add_problem_handlers(app, parts.metrics.count_unavailable)
    for router in (*_original_routers(parts), *_block_list_routers(parts), *_v1_routers(parts)):
        app.include_router(router)
    app.include_router(health_router({"postgres": parts.database.is_ready}, parts.metrics.registry, settings))
    return app


class Parts:
    """The objects from which the routes are built."""

    def __init__(self, settings: AdminSettings) -> None:
        self.settings = settings
        self.database, self.redis, self.metrics = Database(settings), connect_redis(settings), Metrics()
        observe_postgres(self.metrics.registry, {"requests": self.database.pool})
        observe_redis(self.metrics.registry, self.redis)
        self.torrents, self.lists = TorrentStore(self.database), TorrentLists(self.database)
        self.keys, self.operators = KeyStore(self.database), OperatorStore(self.database)
        self.history, self.bans = HistoryStore(self.database), BanStore(self.database)
        self.appeals = AppealStore(self.database, self.metrics)
        self.count = CountStatistics(TorrentCounts(self.database).count, LiveCounts(self.redis).totals)
        self.callers = Callers(settings.trusted_proxies, settings.frontend_hostname, settings.direct_port)
        self.key_limit = AddressLimit(settings, settings.key_rate, "keys")
        self.failures = AddressLimit(settings, settings.failure_rate, "failures")
        self.download_rate = AddressLimit(settings, settings.download_rate, "downloads")
        self.appeal_limit = AddressLimit(settings, parse(APPEALS), "appeals")
        self.generator = KeyGenerator(self.keys, self.key_limit, self.callers, self.metrics)
        self.roles = Roles(
            Authentication(
                first_key(settings).hash, self.operators.find, self.keys.is_registered, failures=self.failures
            ),
            self.callers,
        )
        self.services, self.standings = Services(settings.services), Standings(settings.scoring_url)
        self.room, self.parser = Room(UPLOADS_AT_ONCE, UPLOAD_WAIT_SECONDS), TorrentParser()
        self.uploads = Uploads(self.torrents, self.parser, self.room, self.count.changed_here, self.metrics)
        limit = DownloadLimit(self.redis, self.download_rate, settings.downloads_at_once)
        files = FileStore(self.database)
        self.downloads = Downloads(files, self.keys.is_registered, self.parser, limit, self.metrics)

    async def close(self) -> None:
        """Close every connection."""
        for limit in (self.key_limit, self.failures, self.download_rate, self.appeal_limit):
            await limit.close()
        await self.services.close()
        await self.standings.close()
        await self.redis.aclose()
        await self.database.close()


def _background_work(parts: Parts) -> Iterator[Work]:
    outages = (PostgresUnavailableError,)
    sampling = Sampling(parts.count, parts.history, parts.settings.sample_seconds)
    yield Work("sampling", sampling.run, outages)
    yield Work("counting waiting appeals", parts.appeals.count_waiting, outages)
    if parts.settings.detection is not DetectionMode.OFF:
        yield Work("counting clients", ClientCounter(parts.database).run, outages)
    yield Work("describing files", FileDescriber(parts.database, parts.parser).run, outages)
    yield Work("pruning", KeyPruner(parts.database, parts.metrics).run, outages)


def _original_routers(parts: Parts) -> Iterator[APIRouter]:
    yield statistics_original.original_router(parts.count)
    yield keys_original.original_router(parts.generator)
    yield torrents_original.original_router(parts.torrents, parts.count.changed_here, parts.roles)
    yield original_files_router(parts.uploads, parts.downloads, parts.roles, parts.callers)


def _v1_routers(parts: Parts) -> Iterator[APIRouter]:
    changed, roles, callers = parts.count.changed_here, parts.roles, parts.callers
    yield statistics_router(TrackerStatistics(parts.count, parts.history))
    yield public_router(parts.lists)
    yield own_keys_router(parts.generator, callers)
    recovery = RecoveryStore(parts.database, parts.settings.recovery_days)
    rotations = Rotations(parts.database, parts.settings.recovery_days)
    yield rotations_router(rotations, parts.generator, roles, callers)
    yield recovery_router(recovery, parts.generator, roles)
    yield disowning_router(Disowning(parts.database), parts.standings, roles)
    yield standing_router(parts.standings, roles)
    yield operators_keys_router(parts.keys, roles, callers)
    yield operators_recovery_router(recovery, KeyDebts(parts.database), parts.keys, roles)
    yield key_corrections_router(parts.keys, KeyCorrections(parts.database), roles)
    yield operators_router(parts.operators, roles)
    yield bans_router(parts.bans, roles, callers)
    yield changing_bans_router(parts.bans, roles)
    yield ban_lists_router(parts.bans, roles, callers, parts.room)
    yield from _anomaly_routers(parts)
    yield swarms_router(SwarmStore(parts.redis, parts.database), roles)
    yield prefixes_router(PrefixStore(parts.redis), roles)
    yield system_router(_survey(parts), roles)
    yield audit_router(AuditLog(parts.database), roles)
    yield adding_router(parts.torrents, parts.lists, changed, roles, parts.room)
    corrections = TorrentCorrections(parts.database, parts.redis)
    yield changing_router(parts.torrents, corrections, parts.lists, changed, roles)
    yield files_router(parts.uploads, parts.downloads, parts.lists, roles, callers)


def _anomaly_routers(parts: Parts) -> Iterator[APIRouter]:
    database, roles, anomalies = parts.database, parts.roles, AnomalyStore(parts.database)
    own = OwnAnomalies(database, parts.settings.detection, parts.metrics)
    yield anomalies_router(anomalies, roles)
    yield decisions_router(anomalies, DecisionStore(database, parts.metrics), roles)
    yield balance_router(BalanceStore(database), roles)
    yield clients_router(ClientStore(database), roles)
    yield appeals_router(parts.appeals, roles)
    yield own_anomaly_router(own, parts.appeal_limit, roles)


def _block_list_routers(parts: Parts) -> Iterator[APIRouter]:
    lists = BlockListStore(parts.redis, parts.database, parts.settings.detection)
    yield block_lists_router(lists, OwnWindows(parse(BLOCK_LISTS)), parts.metrics)
    # Counted apart, so that somebody who looks at the page doesn't use up the requests of their client.
    yield block_list_page_router(lists, OwnWindows(parse(BLOCK_LISTS)), parts.metrics)


def _survey(parts: Parts) -> Survey:
    async def own_state() -> ServiceState:
        ready = await parts.database.is_ready()
        metrics, _ = read_metrics(generate_latest(parts.metrics.registry).decode())
        return ServiceState("admin_api", ready, "" if ready else "Not ready: postgres.", datetime.now(UTC), metrics)

    own_settings = partial(describe_settings, "admin_api", tell_settings(parts.settings))
    return Survey(parts.services, StoreStates(parts.database, parts.redis), own_state, own_settings)
