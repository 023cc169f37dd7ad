"""What every key is compared with: score parameters with the thresholds in effect, and a good seeder's torrents."""

import asyncio
from datetime import timedelta
from typing import NamedTuple

from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.scores.list_policies import NO_GOOD_SEEDER
from etracker_scoring.scores.thresholds import with_thresholds
from etracker_scoring.stored.community import Community
from etracker_shared.agreements.policies import PolicyName

REFRESH_SECONDS = 60.0


class Yardsticks(NamedTuple):
    """What every key is compared with. ``good_seeding``: how many torrents a good seeder of this tracker seeds."""

    parameters: ScoreParameters
    good_seeding: float


class YardstickFollower:
    """Keeps the yardsticks current. ``recalibrate``: use the stored thresholds.

    ``active``: only keys that announced within this time count for ``good_seeding``.
    """

    def __init__(
        self,
        community: Community,
        configured: ScoreParameters,
        *,
        policy: PolicyName | None,
        recalibrate: bool,
        active: timedelta,
    ) -> None:
        self._community = community
        self._configured = configured
        self._counts_seeding = policy is PolicyName.GOOD_SEEDS
        self._recalibrate = recalibrate
        self._active = active
        self.current = Yardsticks(configured, NO_GOOD_SEEDER)

    async def run(self) -> None:
        """Update until cancelled; :attr:`current` stays unchanged while Postgres is down.

        Raises:
            PostgresUnavailableError: Postgres isn't available.
        """
        while self._recalibrate or self._counts_seeding:
            await self.refresh()
            await asyncio.sleep(REFRESH_SECONDS)

    async def refresh(self) -> None:
        """Read the yardsticks once.

        Raises:
            PostgresUnavailableError: Postgres isn't available.
        """
        parameters, good_seeding = self._configured, NO_GOOD_SEEDER
        if self._recalibrate:
            parameters = with_thresholds(self._configured, await self._community.thresholds())
        if self._counts_seeding:
            good_seeding = await self._community.good_seeding(self._active)
        self.current = Yardsticks(parameters, good_seeding)
