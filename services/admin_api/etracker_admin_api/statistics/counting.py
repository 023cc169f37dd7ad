"""Current counts of torrents and peers, read at most once a second however often they are requested."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from etracker_admin_api.errors import RedisUnavailableError
from etracker_admin_api.statistics.live_counts import LiveTotals
from etracker_shared.language.outages import PostgresUnavailableError

LIVE_SECONDS = 1.0

RETRY_SECONDS = 1.0
"""After a failure, callers fail at once for this long, instead of each waiting for Postgres' timeout."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """``stale``: Redis isn't responding, so the counts of swarms and peers are the last known values."""

    hashcount: int
    seeders: int
    leechers: int
    swarms: int
    stale: bool


class CountStatistics:
    """Counts torrents and live peers at most once a second.

    ``count`` returns the number of torrents, ``totals`` the live totals.
    """

    def __init__(
        self,
        count: Callable[[], Awaitable[int]],
        totals: Callable[[], Awaitable[LiveTotals]],
        live_seconds: float = LIVE_SECONDS,
    ) -> None:
        self._ask_count = count
        self._ask_totals = totals
        self._live_seconds = live_seconds
        self._counting = asyncio.Lock()
        self._asking = asyncio.Lock()
        self._hashcount = 0
        self._changes = 0
        self._next_count = 0.0
        self._retry_count = 0.0
        self._totals = LiveTotals(0, 0, 0)
        self._totals_stale = True
        self._next_totals = 0.0

    def changed_here(self) -> None:
        """Note that this replica changed the torrents, so that the next response includes the change."""
        self._changes += 1
        self._next_count = 0.0

    async def __call__(self) -> Statistics:
        """Return the statistics.

        Raises:
            PostgresUnavailableError: the torrents can't be counted.
        """
        hashcount = await self._count()
        live = await self._live_totals()
        return Statistics(
            hashcount=hashcount,
            seeders=live.seeders,
            leechers=live.leechers,
            swarms=live.swarms,
            stale=self._totals_stale,
        )

    async def _count(self) -> int:
        async with self._counting:
            if time.monotonic() >= self._next_count:
                await self._recount()
            return self._hashcount

    async def _recount(self) -> None:
        now, changes = time.monotonic(), self._changes
        if now < self._retry_count:
            raise PostgresUnavailableError
        try:
            self._hashcount = await self._ask_count()
        except PostgresUnavailableError:
            self._retry_count = time.monotonic() + RETRY_SECONDS
            raise
        if changes == self._changes:  # otherwise the count may be older than a change
            self._next_count = now + self._live_seconds

    async def _live_totals(self) -> LiveTotals:
        async with self._asking:
            if time.monotonic() >= self._next_totals:
                try:
                    self._totals = await self._ask_totals()
                    self._totals_stale = False
                except RedisUnavailableError:
                    self._totals_stale = True
                self._next_totals = time.monotonic() + self._live_seconds
            return self._totals
