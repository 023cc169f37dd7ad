"""Statistics of the tracker, now and over time."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from etracker_admin_api.statistics.counting import CountStatistics, Statistics
from etracker_admin_api.statistics.history import (
    TORRENT_STEPS,
    TRACKER_CHARTS,
    Span,
    StatsSample,
    TorrentSample,
    Totals,
    draw_torrent,
    draw_tracker,
)
from etracker_admin_api.statistics.store import HistoryStore
from etracker_shared.language.identity import InfoHash

FRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class TrackerNow:
    """The tracker now. ``announces_per_second``: over the last one or two minutes, None if unknown."""

    counted: Statistics
    totals: Totals
    announces_per_second: float | None
    as_of: datetime


class TrackerStatistics:
    """Reads the tracker's numbers, at most once a second however often they are requested."""

    def __init__(self, count: CountStatistics, history: HistoryStore) -> None:
        self._count = count
        self._history = history
        self._reading = asyncio.Lock()
        self._known: TrackerNow | None = None
        self._fresh_until = 0.0

    async def now(self) -> TrackerNow:
        """Return the numbers.

        Raises:
            PostgresUnavailableError: they can't be read.
        """
        async with self._reading:
            if self._known is None or time.monotonic() >= self._fresh_until:
                self._known = await self._read()
                self._fresh_until = time.monotonic() + FRESH_SECONDS
            return self._known

    async def tracker(self, span: Span) -> Sequence[StatsSample]:
        """Draw the chart of the tracker."""
        chart = TRACKER_CHARTS[span]
        since = datetime.now(UTC) - timedelta(seconds=chart.seconds)
        readings = await self._history.tracker(chart.stored_seconds, since)
        return [point for point in draw_tracker(readings, chart.step_seconds) if point.at > since]

    async def torrent(self, span: Span, info_hash: InfoHash) -> Sequence[TorrentSample] | None:
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
            announces = max(0, totals.announces - recent.totals.announces)
            rate = round(announces / (moment - recent.at).total_seconds(), 3)
        return TrackerNow(counted, totals, rate, moment)
