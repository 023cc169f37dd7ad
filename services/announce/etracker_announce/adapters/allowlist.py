"""The allowlist, cached in front of Postgres: which infohashes are tracked, and their snatches."""

import time
from collections.abc import Mapping, Sequence

import asyncpg
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from etracker_announce.adapters.batching import Batcher
from etracker_announce.adapters.caching import NotifiedCache
from etracker_announce.adapters.queries import fetch_in_time
from etracker_announce.metrics import Metrics
from etracker_announce.ports import Torrent
from etracker_shared.agreements.notifications import INFOHASHES_CHANNEL
from etracker_shared.language.identity import InfoHash
from etracker_shared.language.outages import PostgresUnavailableError
from etracker_shared.plumbing.postgres import UNAVAILABLE, Listener

FRESH_SECONDS = 3600.0
REFUSED_ENTRIES = 16_384
MAX_HASHES = 1000
PAUSE_SECONDS = 1.0
FAILURES_ALLOWED = 3

# A hybrid torrent's second infohash has the statistics of its first.
_FIND = """
    SELECT own.info_hash, coalesce(canonical.length, own.length) AS length,
           coalesce(canonical.downloaded, own.downloaded) AS snatches, canonical.info_hash AS kept_as
    FROM infohashes own LEFT JOIN infohashes canonical ON canonical.id = own.same_as
    WHERE own.info_hash = ANY($1)
"""


class PostgresAllowlist:
    """Implements :class:`~etracker_announce.ports.Allowlist`."""

    def __init__(self, pool: asyncpg.Pool, listener: Listener, metrics: Metrics, max_entries: int) -> None:
        self._pool = pool
        self._metrics = metrics
        self._tracked: NotifiedCache[Torrent] = NotifiedCache(max_entries, FRESH_SECONDS, lambda: listener.connected)
        # Separate, so that a flood of made-up infohashes doesn't evict tracked ones.
        self._refused: NotifiedCache[bool] = NotifiedCache(REFUSED_ENTRIES, FRESH_SECONDS, lambda: listener.connected)
        self._questions: Batcher[InfoHash, Torrent | None] = Batcher(self._ask, max_keys=MAX_HASHES)
        self._breakers = AsyncCircuitBreakerFactory(default_threshold=FAILURES_ALLOWED, default_ttl=PAUSE_SECONDS)

    def hear(self, channel: str, info_hashes: Sequence[bytes] | None) -> None:
        """Handle a notification from Postgres."""
        if channel == INFOHASHES_CHANNEL:
            self._tracked.forget(info_hashes)
            self._refused.forget(info_hashes)

    def learn(self, info_hash: InfoHash, snatches: int) -> None:
        """Remember snatches, see :class:`~etracker_announce.ports.Allowlist`."""
        torrent = self._tracked.last_known(info_hash)
        if torrent is not None:
            self._tracked.amend(info_hash, torrent._replace(snatches=snatches))

    async def find(self, info_hash: InfoHash) -> Torrent | None:
        """Return the torrent, see :class:`~etracker_announce.ports.Allowlist`."""
        torrent = self._tracked.fresh(info_hash)
        if torrent is not None or self._refused.fresh(info_hash):
            self._metrics.allowlist["cache"].inc()
            return torrent
        try:
            torrent = await self._questions.get(info_hash)
        except (*UNAVAILABLE, asyncpg.PostgresError, OpenedState):
            return self._last_known(info_hash)
        self._metrics.allowlist["postgres"].inc()
        return torrent

    async def close(self) -> None:
        """Cancel the running queries."""
        await self._questions.close()

    def _last_known(self, info_hash: InfoHash) -> Torrent:
        # A torrent that was tracked stays tracked. Old refusals aren't reused: a torrent may have been added since.
        torrent = self._tracked.last_known(info_hash)
        if torrent is None:
            self._metrics.allowlist["unavailable"].inc()
            raise PostgresUnavailableError from None
        self._metrics.allowlist["stale"].inc()
        return torrent

    async def _ask(self, info_hashes: Sequence[InfoHash]) -> Mapping[InfoHash, Torrent | None]:
        self._metrics.allowlist_batches.observe(len(info_hashes))
        asked_at = time.monotonic()
        async with await self._breakers.get_breaker("postgres"):
            rows = await fetch_in_time(self._pool, _FIND, info_hashes)
        found = {row["info_hash"]: Torrent(row["length"], row["snatches"], row["kept_as"]) for row in rows}
        for info_hash in info_hashes:
            self._keep(info_hash, found.get(info_hash), asked_at)
        return {info_hash: found.get(info_hash) for info_hash in info_hashes}

    def _keep(self, info_hash: InfoHash, torrent: Torrent | None, asked_at: float) -> None:
        if torrent is None:
            self._tracked.drop(info_hash)
            self._refused.put(info_hash, value=True, asked_at=asked_at)
        else:
            self._refused.drop(info_hash)
            self._tracked.put(info_hash, torrent, asked_at)
