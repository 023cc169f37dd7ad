"""Tell a key's holder where it stands."""

import time
from collections.abc import Callable

from etracker_scoring.domain.reports import report
from etracker_scoring.domain.score import ScoreParameters
from etracker_scoring.ports import Holders
from etracker_shared.identity import KeyHash
from etracker_shared.standing import StandingReport


class Reports:
    """Reports as of now. ``parameters``: those in force."""

    def __init__(
        self, holders: Holders, parameters: Callable[[], ScoreParameters], clock: Callable[[], float] = time.time
    ) -> None:
        self._holders = holders
        self._parameters = parameters
        self._clock = clock

    async def find(self, key_hash: KeyHash) -> StandingReport | None:
        """Return a key's standing, None if it isn't registered.

        Raises:
            AccountsUnavailableError: Postgres can't be asked.
        """
        holder = await self._holders.find(key_hash)
        return report(holder, self._clock(), self._parameters()) if holder else None
