"""Sampling: stores the numbers for charts at regular intervals."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from etracker_admin_api.statistics.counting import CountStatistics
from etracker_admin_api.statistics.live_counts import LiveTotals
from etracker_admin_api.statistics.store import HistoryStore


class Sampling:
    """Takes samples regularly. With several replicas, only one of them takes each sample."""

    def __init__(self, count: CountStatistics, history: HistoryStore, every_seconds: int) -> None:
        self._count = count
        self._history = history
        self._every_seconds = every_seconds

    async def run(self) -> None:
        """Take samples until cancelled.

        Raises:
            PostgresUnavailableError: a sample can't be stored.
        """
        while True:
            await asyncio.sleep(self._every_seconds - time.time() % self._every_seconds)
            await self.sample(datetime.now(UTC))

    async def sample(self, moment: datetime) -> None:
        """Take a sample for the step that just ended; none while live counts are unavailable.

        Raises:
            PostgresUnavailableError: it can't be stored.
        """
        now = moment - timedelta(seconds=moment.timestamp() % self._every_seconds)
        counted = await self._count()
        if not counted.stale:
            live = LiveTotals(seeders=counted.seeders, leechers=counted.leechers, swarms=counted.swarms)
            await self._history.take(counted.hashcount, live, now)
        await self._history.take_torrents(now)
