"""The composition root of the announce service."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from structlog import get_logger

from etracker_announce.adapters.allowlist import PostgresAllowlist
from etracker_announce.adapters.scoring import ScoringTiers
from etracker_announce.adapters.secret import PairSecret
from etracker_announce.adapters.swarms import RedisSwarms, connect_swarms
from etracker_announce.domain.addresses import client_finder
from etracker_announce.domain.texts import forbidden_words
from etracker_announce.metrics import Metrics
from etracker_announce.routes.exchange import FRONT, Front
from etracker_announce.settings import AnnounceSettings
from etracker_announce.use_cases.announcing import Announcing
from etracker_announce.use_cases.lookups import Lookups
from etracker_announce.use_cases.scraping import Scraping
from etracker_announce.use_cases.tracker import Tracker
from etracker_shared.health import health_router
from etracker_shared.notifications import INFOHASHES_CHANNEL, KEYS_CHANNEL
from etracker_shared.postgres import Listener, create_pool

log = get_logger("announce")

RESTART_SECONDS = 5.0

Background = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Parts:
    """What the service is made of; nothing connects before the lifespan begins."""

    pool: asyncpg.Pool
    swarms: RedisSwarms
    scoring: httpx.AsyncClient
    tiers: ScoringTiers
    allowlist: PostgresAllowlist
    listener: Listener
    secret: PairSecret


def create_app(settings: AnnounceSettings) -> FastAPI:
    """Build the application; connections need :class:`~etracker_announce.routes.protocol.TrackerProtocol`."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    parts = _make_parts(settings, metrics)
    front = Front(_make_tracker(settings, metrics, parts), metrics, client_finder(settings.trusted_proxies))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        _warn_of_host(settings.frontend_hostname)
        async with _connected(parts):
            yield {FRONT: front}

    app = FastAPI(
        title="etracker announce",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    checks = {"redis": parts.swarms.complaint, "pair_secret": parts.secret.is_loaded}
    app.include_router(health_router(checks, registry, settings))
    return app


def _make_parts(settings: AnnounceSettings, metrics: Metrics) -> Parts:
    def hear(channel: str, hashes: Sequence[bytes] | None) -> None:
        tiers.hear(channel, hashes)
        allowlist.hear(channel, hashes)

    pool = create_pool(settings)
    listener = Listener(settings, [INFOHASHES_CHANNEL, KEYS_CHANNEL], hear)
    scoring = httpx.AsyncClient(base_url=settings.scoring_url, trust_env=False)
    tiers = ScoringTiers(scoring, listener, metrics, settings.tier_cache_seconds, settings.tier_cache_entries)
    allowlist = PostgresAllowlist(pool, listener, metrics, settings.allowlist_cache_entries)
    swarms = connect_swarms(
        settings,
        peers_per_key=settings.peers_per_key,
        peer_lifetime_seconds=settings.peer_lifetime_seconds,
        sweep_seconds=settings.sweep_seconds,
        sweep_budget=settings.sweep_budget,
        stream_max_bytes=settings.stream_max_bytes,
        on_batch=metrics.swarm_batches.observe,
        on_refused_writes=metrics.redis_refuses_writes.set,
    )
    metrics.stream_bytes.set_function(lambda: swarms.stream_bytes)
    return Parts(pool, swarms, scoring, tiers, allowlist, listener, PairSecret(pool))


def _make_tracker(settings: AnnounceSettings, metrics: Metrics, parts: Parts) -> Tracker:
    lookups = Lookups(parts.tiers, parts.allowlist, parts.swarms, settings)
    announcing = Announcing(
        swarms=parts.swarms,
        lookups=lookups,
        secret=lambda: parts.secret.value,
        settings=settings,
        metrics=metrics,
        clock=time.time,
    )
    return Tracker(announcing, Scraping(parts.swarms, lookups, settings), settings)


@asynccontextmanager
async def _connected(parts: Parts) -> AsyncIterator[None]:
    """Connect in the order of dependence and let go in the opposite one; what is down may come up later."""
    async with AsyncExitStack() as stack:
        await parts.pool
        stack.push_async_callback(parts.pool.close)
        await parts.swarms.start()
        stack.push_async_callback(parts.swarms.close)
        await stack.enter_async_context(parts.scoring)
        stack.push_async_callback(parts.allowlist.close)
        stack.push_async_callback(parts.tiers.close)
        await stack.enter_async_context(_running(parts.listener.run, parts.secret.load))
        yield


def _warn_of_host(host: str) -> None:
    """Clients act on words in texts, and the host's name is in one of them."""
    if words := forbidden_words(host):
        log.warning("hostname_misleads_clients", setting="ETRACKER_FRONTEND_HOSTNAME", words=words)


@asynccontextmanager
async def _running(*background: Background) -> AsyncIterator[None]:
    """Run tasks beside the service; one that fails is logged and started again."""
    tasks = [asyncio.ensure_future(_kept_running(task)) for task in background]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _kept_running(background: Background) -> None:
    while True:
        try:
            return await background()
        except Exception:  # a wrong password, a database that isn't there yet: an operator mends it meanwhile
            log.exception("background_task_failed")
            await asyncio.sleep(RESTART_SECONDS)
