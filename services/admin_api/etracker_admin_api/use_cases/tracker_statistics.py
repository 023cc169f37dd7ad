"""The tracker now and over time."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from etracker_admin_api.domain.history import (
    TORRENT_STEPS,
    TRACKER_CHARTS,
    Point,
    Span,
    TorrentReading,
    Totals,
    draw_torrent,
    draw_tracker,
)
from etracker_admin_api.ports import History, LiveTotals
from etracker_admin_api.use_cases.statistics import CountStatistics, Statistics
from etracker_shared.identity import InfoHash

FRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class TrackerNow:
    """``announces_per_second``: over the last minute or two, None while unknown."""

    counted: Statistics
    totals: Totals
    announces_per_second: float | None
    as_of: datetime


class TrackerStatistics:
    """Reads the tracker's numbers, at most once a second however often they are asked for."""

    def __init__(self, count: CountStatistics, history: History) -> None:
        self._count = count
        self._history = history
        self._reading = asyncio.Lock()
        self._known: TrackerNow | None = None
        self._fresh_until = 0.0

    async def now(self) -> TrackerNow:
        """Return the numbers.

        Raises:
            DatabaseUnavailableError: they can't be read.
        """
        async with self._reading:
            if self._known is None or time.monotonic() >= self._fresh_until:
                self._known = await self._read()
                self._fresh_until = time.monotonic() + FRESH_SECONDS
            return self._known

    async def tracker(self, span: Span) -> Sequence[Point]:
        """Draw the chart of the tracker."""
        chart = TRACKER_CHARTS[span]
        since = datetime.now(UTC) - timedelta(seconds=chart.seconds)
        readings = await self._history.tracker(chart.stored_seconds, since)
        return [point for point in draw_tracker(readings, chart.step_seconds) if point.at > since]

    async def torrent(self, span: Span, info_hash: InfoHash) -> Sequence[TorrentReading] | None:
        """Draw the chart of a torrent; None if it isn't tracked."""
        until = datetime.now(UTC)
        since = until - timedelta(seconds=TRACKER_CHARTS[span].seconds)
        readings = await self._history.torrent(info_hash, since)
        if readings is None:
            return None
        return draw_torrent(readings, TORRENT_STEPS[span], since, until)

    async def _read(self) -> TrackerNow:
        counted = await self._count()
        totals = await self._history.totals()
        moment, recent = datetime.now(UTC), await self._history.recent()
        rate = None
        if recent is not None:
            at, before = recent
            rate = round(max(0, totals.announces - before.announces) / (moment - at).total_seconds(), 3)
        return TrackerNow(counted, totals, rate, moment)


class Sampling:
    """Takes samples for as long as it runs; of several replicas one does each time."""

    def __init__(self, count: CountStatistics, history: History, every_seconds: int) -> None:
        self._count = count
        self._history = history
        self._every_seconds = every_seconds

    async def run(self) -> None:
        """Take samples.

        Raises:
            DatabaseUnavailableError: one can't be stored.
        """
        while True:
            await asyncio.sleep(self._every_seconds - time.time() % self._every_seconds)
            await self.sample(datetime.now(UTC))

    async def sample(self, moment: datetime) -> None:
        """Take a sample for the step that just ended; none while live counts can't be had.

        Raises:
            DatabaseUnavailableError: it can't be stored.
        """
        now = moment - timedelta(seconds=moment.timestamp() % self._every_seconds)
        counted = await self._count()
        if not counted.stale:
            live = LiveTotals(counted.seeders, counted.leechers, counted.swarms)
            await self._history.take(counted.hashcount, live, now)
        await self._history.take_torrents(now)
