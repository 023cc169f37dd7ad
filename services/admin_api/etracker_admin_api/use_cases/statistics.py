"""The three numbers of the front page, cheap however often they are asked for."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from etracker_admin_api.ports import DatabaseUnavailableError, LiveCountsUnavailableError, LiveTotals

LIVE_SECONDS = 1.0

RETRY_SECONDS = 1.0
"""Callers that waited while Postgres didn't answer are told so at once, instead of waiting one after the other."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """``stale``: Redis doesn't answer, so seeders and leechers are the last ones known."""

    hashcount: int
    seeders: int
    leechers: int
    swarms: int
    stale: bool


class CountStatistics:
    """Counts torrents and live peers at most once a second.

    ``count`` and ``totals`` are the catalogue's and Redis'.
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
        """Take note of this replica's own change: whoever made it sees it in the next answer."""
        self._changes += 1
        self._next_count = 0.0

    async def __call__(self) -> Statistics:
        """Return the statistics.

        Raises:
            DatabaseUnavailableError: the torrents can't be counted.
        """
        hashcount = await self._count()
        return Statistics(hashcount, *await self._live_totals(), self._totals_stale)

    async def _count(self) -> int:
        async with self._counting:
            if time.monotonic() >= self._next_count:
                await self._recount()
            return self._hashcount

    async def _recount(self) -> None:
        now, changes = time.monotonic(), self._changes
        if now < self._retry_count:
            raise DatabaseUnavailableError
        try:
            self._hashcount = await self._ask_count()
        except DatabaseUnavailableError:
            self._retry_count = time.monotonic() + RETRY_SECONDS
            raise
        if changes == self._changes:  # else it may be of before the change
            self._next_count = now + self._live_seconds

    async def _live_totals(self) -> LiveTotals:
        async with self._asking:
            if time.monotonic() >= self._next_totals:
                try:
                    self._totals = await self._ask_totals()
                    self._totals_stale = False
                except LiveCountsUnavailableError:
                    self._totals_stale = True
                self._next_totals = time.monotonic() + self._live_seconds
            return self._totals
