"""The composition root of the announce service."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import asyncpg
import httpx
from structlog import get_logger

from etracker_announce.adapters.allowlist import PostgresAllowlist
from etracker_announce.adapters.anomalies import PostgresAnomalies
from etracker_announce.adapters.bans import PostgresBans
from etracker_announce.adapters.scoring import ScoringTiers
from etracker_announce.adapters.secret import PairSecret
from etracker_announce.adapters.swarms import RedisSwarms, connect_swarms
from etracker_announce.domain.suspects import NOBODY, Suspects
from etracker_announce.frontends.gatherer import Gatherer
from etracker_announce.frontends.http.failures import forbidden_words
from etracker_announce.frontends.http.handler import Handler
from etracker_announce.frontends.http.server import HttpServer, all_serving
from etracker_announce.frontends.http.sources import proxy_recognizer, source_finder
from etracker_announce.frontends.observation import create_observation_app, serving_observation
from etracker_announce.frontends.pause_rule import PauseRule
from etracker_announce.frontends.shared_address import SharedAddress, bridge_address
from etracker_announce.metrics import Metrics
from etracker_announce.settings import AnnounceSettings
from etracker_announce.tracker.admission import Admission
from etracker_announce.tracker.announce import AnnounceHandler
from etracker_announce.tracker.scrape import ScrapeHandler
from etracker_announce.tracker.tracker import Tracker
from etracker_shared.agreements.anomalies import DetectionMode
from etracker_shared.agreements.notifications import (
    ANOMALIES_CHANNEL,
    BANS_CHANNEL,
    INFOHASHES_CHANNEL,
    KEYS_CHANNEL,
)
from etracker_shared.language.addresses import Network
from etracker_shared.plumbing.background import Work, running
from etracker_shared.plumbing.pool_metrics import observe_postgres, read_pool
from etracker_shared.plumbing.postgres import Listener, create_pool
from etracker_shared.plumbing.process_metrics import create_registry
from etracker_shared.plumbing.serving import LINGER_SECONDS
from etracker_shared.plumbing.sockets import inherit

LOADING_SECONDS = 5.0

log = get_logger("announce")


@dataclass(frozen=True)
class Parts:
    """The adapters of the service; nothing connects before :func:`serving`."""

    pool: asyncpg.Pool
    swarms: RedisSwarms
    scoring: httpx.AsyncClient
    tiers: ScoringTiers
    allowlist: PostgresAllowlist
    bans: PostgresBans
    anomalies: PostgresAnomalies | None
    listener: Listener
    secret: PairSecret


@dataclass(frozen=True)
class Ports:
    """Where a running service listens."""

    announce: int
    observation: int


@asynccontextmanager
async def serving(
    settings: AnnounceSettings,
    *,
    linger_seconds: float = LINGER_SECONDS,
    loading_seconds: float = LOADING_SECONDS,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[Ports]:
    """Run the service. At its end, all running requests are answered before any adapter closes.

    ``loading_seconds``: how long announces wait for what must be known to answer them; after that, clients are told to
    come back. ``clock``: the Unix time of announces.

    Raises:
        OSError: a port is taken.
    """
    registry = create_registry("etracker-announce")
    metrics = Metrics(registry)
    parts = _make_parts(settings, metrics)
    observe_postgres(registry, {"lookups": partial(read_pool, parts.pool)})
    tracker = _make_tracker(settings, metrics, parts, clock)
    shared_address = SharedAddress(time.monotonic, bridge_address())
    metrics.peers_share_one_address.set_function(shared_address.check)
    checks = {"redis": parts.swarms.complaint, "pair_secret": parts.secret.is_loaded, "bans": parts.bans.is_loaded}
    observation = create_observation_app(checks, registry, settings)
    servers = _make_servers(settings, metrics, tracker, shared_address, linger_seconds)
    _warn_of_host(settings.frontend_hostname)
    async with (
        _connected(parts),
        running(Work("shared address", shared_address.watch)),
        _loaded(parts, loading_seconds),
        all_serving(*servers),
        serving_observation(observation, settings.observation_host, settings.observation_port) as observation_port,
    ):
        yield Ports(servers[0].port, observation_port)


def _make_parts(settings: AnnounceSettings, metrics: Metrics) -> Parts:
    def hear(channel: str, hashes: Sequence[bytes] | None) -> None:
        tiers.hear(channel, hashes)
        allowlist.hear(channel, hashes)
        bans.hear(channel, hashes)
        if anomalies:
            anomalies.hear(channel, hashes)

    pool = create_pool(settings)
    listener = Listener(settings, [INFOHASHES_CHANNEL, KEYS_CHANNEL, BANS_CHANNEL, ANOMALIES_CHANNEL], hear)
    scoring = httpx.AsyncClient(base_url=settings.scoring_url, trust_env=False)
    tiers = ScoringTiers(scoring, listener, metrics, settings.tier_cache_seconds, settings.tier_cache_entries)
    allowlist = PostgresAllowlist(pool, listener, metrics, settings.allowlist_cache_entries)
    bans = PostgresBans(pool, listener, metrics)
    enforces = settings.detection is DetectionMode.ENFORCE
    anomalies = PostgresAnomalies(pool, listener, metrics) if enforces else None
    swarms = connect_swarms(
        settings,
        peers_per_key=settings.peers_per_key,
        peers_per_address=settings.peers_per_address,
        peer_lifetime_seconds=settings.peer_lifetime_seconds,
        sweep_seconds=settings.sweep_seconds,
        sweep_budget=settings.sweep_budget,
        stream_max_bytes=settings.stream_max_bytes,
        on_batch=metrics.swarm_batches.observe,
        on_refused_writes=metrics.redis_refuses_writes.set,
    )
    metrics.stream_bytes.set_function(lambda: swarms.stream_bytes)
    metrics.stream_bound.set_function(lambda: swarms.stream_bound)
    return Parts(pool, swarms, scoring, tiers, allowlist, bans, anomalies, listener, PairSecret(pool))


def _make_tracker(settings: AnnounceSettings, metrics: Metrics, parts: Parts, clock: Callable[[], float]) -> Tracker:
    admission = Admission(
        parts.tiers, parts.allowlist, parts.swarms, bans=lambda: parts.bans.current, settings=settings
    )

    def suspects() -> Suspects:
        return parts.anomalies.current if parts.anomalies else NOBODY

    announces = AnnounceHandler(
        swarms=parts.swarms,
        hand_outs=parts.swarms.hand_outs if parts.anomalies else None,
        admission=admission,
        secret=lambda: parts.secret.value,
        settings=settings,
        metrics=metrics,
        clock=clock,
        suspects=suspects,
    )
    scrapes = ScrapeHandler(
        parts.swarms, admission, settings, suspects=suspects, secret=lambda: parts.secret.value, clock=clock
    )
    return Tracker(admission, announces, scrapes, settings)


def _make_servers(
    settings: AnnounceSettings, metrics: Metrics, tracker: Tracker, shared_address: SharedAddress, linger_seconds: float
) -> list[HttpServer]:
    """Return the server that the gateway uses and, if there is a public port, that of the public port."""
    gatherer = Gatherer(PauseRule(settings.announce_gather_ms / 1000), lambda paid: metrics.pauses[paid].inc())

    def server(trusted: tuple[Network, ...], sockets: tuple[int, ...], *, public: bool) -> HttpServer:
        handler = Handler(
            tracker,
            metrics,
            source_finder(trusted),
            shared_address,
            settings.frontend_hostname,
            compares_clients=settings.detection is not DetectionMode.OFF,
        )
        return HttpServer(
            handler,
            settings.listen_host,
            settings.listen_port,
            gatherer,
            is_proxy=proxy_recognizer(trusted),
            linger_seconds=linger_seconds,
            inherited=inherit(sockets),
            public=public,
        )

    servers = [server(settings.trusted_proxies, settings.listen_sockets, public=False)]
    if settings.public_sockets:
        # The gateway's address proves nothing here: every program on this machine may connect from it.
        servers.append(server(settings.announce_trusted_proxies, settings.public_sockets, public=True))
    return servers


@asynccontextmanager
async def _connected(parts: Parts) -> AsyncIterator[None]:
    """Connect the adapters in order, and close them in reverse. A server that is down may come up later."""
    async with AsyncExitStack() as stack:
        await parts.pool
        stack.push_async_callback(parts.pool.close)
        await parts.swarms.start()
        stack.push_async_callback(parts.swarms.close)
        await stack.enter_async_context(parts.scoring)
        stack.push_async_callback(parts.allowlist.close)
        stack.push_async_callback(parts.tiers.close)
        await stack.enter_async_context(
            running(
                Work("listener", parts.listener.run),
                Work("pair secret", parts.secret.load),
                Work("bans", parts.bans.run),
                *([Work("anomalies", parts.anomalies.run)] if parts.anomalies else []),
            )
        )
        yield


@asynccontextmanager
async def _loaded(parts: Parts, seconds: float) -> AsyncIterator[None]:
    """Wait until announces can be answered: whoever connects to a replica that has just started is not refused."""
    awaited = [parts.secret.loaded, parts.bans.loaded, *([parts.anomalies.loaded] if parts.anomalies else [])]
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            for loaded in awaited:
                await loaded.wait()
    yield


def _warn_of_host(host: str) -> None:
    """Warn about a host name with words on which clients act: it becomes part of a failure text."""
    if words := forbidden_words(host):
        log.warning("hostname_misleads_clients", setting="ETRACKER_FRONTEND_HOSTNAME", words=words)
