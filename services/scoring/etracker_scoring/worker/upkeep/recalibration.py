"""Moves the thresholds towards the scores of the community every night."""

import asyncio
from datetime import UTC, datetime, timedelta

from structlog import get_logger

from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.scores.thresholds import moved
from etracker_scoring.stored.community import Community

NIGHT_HOUR = 4
"""UTC."""

ACTIVE = timedelta(days=1)

log = get_logger("recalibration")


class NightlyRecalibration:
    """Moves the stored thresholds, which every worker and every replica of the API follows."""

    def __init__(self, community: Community, configured: ScoreParameters) -> None:
        self._community = community
        self._configured = configured

    async def run(self) -> None:
        """Recalibrate every night until cancelled.

        Raises:
            PostgresUnavailableError: Postgres isn't available.
        """
        while True:
            await asyncio.sleep(seconds_until_night(datetime.now(UTC)))
            await self.recalibrate()

    async def recalibrate(self) -> None:
        """Move the thresholds once."""
        scores = await self._community.scores(ACTIVE)
        thresholds = moved(self._configured, await self._community.thresholds(), scores)
        if thresholds is None:
            log.info("thresholds_stay", active_keys=len(scores))
            return
        await self._community.put_thresholds(thresholds)
        log.info("thresholds_moved", active_keys=len(scores), thresholds=[round(score, 3) for score in thresholds])


def seconds_until_night(now: datetime) -> float:
    """Return how long it is until the next recalibration."""
    night = now.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    if night <= now:
        night += timedelta(days=1)
    return (night - now).total_seconds()
