"""Keep the yardsticks current: thresholds that were moved, and what a good seeder seeds."""

import asyncio
from datetime import timedelta

from structlog import get_logger

from etracker_scoring.domain.policies import NO_GOOD_SEEDER, Policy
from etracker_scoring.domain.score import ScoreParameters
from etracker_scoring.domain.standings import Yardsticks
from etracker_scoring.domain.thresholds import with_thresholds
from etracker_scoring.ports import AccountsUnavailableError, Community

REFRESH_SECONDS = 60.0
RETRY_SECONDS = 1.0

log = get_logger("yardsticks")


class YardstickFollower:
    """Holds what keys are measured by. ``recalibrate``: obey thresholds that were moved.

    ``active``: for how long an announce makes a key an active one.
    """

    def __init__(
        self,
        community: Community,
        configured: ScoreParameters,
        *,
        policy: Policy | None,
        recalibrate: bool,
        active: timedelta,
    ) -> None:
        self._community = community
        self._configured = configured
        self._counts_seeding = policy is Policy.GOOD_SEEDS
        self._recalibrate = recalibrate
        self._active = active
        self.current = Yardsticks(configured, NO_GOOD_SEEDER)

    async def run(self) -> None:
        """Follow until cancelled; while Postgres is down what was known last goes on."""
        while self._recalibrate or self._counts_seeding:
            try:
                await self.refresh()
            except AccountsUnavailableError as error:
                log.info("yardsticks_stale", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                await asyncio.sleep(REFRESH_SECONDS)

    async def refresh(self) -> None:
        """Look once.

        Raises:
            AccountsUnavailableError: Postgres can't be asked.
        """
        parameters, good_seeding = self._configured, NO_GOOD_SEEDER
        if self._recalibrate:
            parameters = with_thresholds(self._configured, await self._community.thresholds())
        if self._counts_seeding:
            good_seeding = await self._community.good_seeding(self._active)
        self.current = Yardsticks(parameters, good_seeding)
