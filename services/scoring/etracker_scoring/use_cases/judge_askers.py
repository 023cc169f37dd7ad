"""Tell announce how to treat askers."""

import time
from collections.abc import Callable, Mapping, Sequence

from etracker_scoring.domain.policies import Policy
from etracker_scoring.domain.standings import Yardsticks, judge
from etracker_scoring.ports import Standings
from etracker_shared.identity import KeyHash
from etracker_shared.tiers import Standing


class Tiers:
    """Judges keys as they stand now. ``with_notices``: let announces tell of changed tiers."""

    def __init__(
        self,
        standings: Standings,
        policy: Policy,
        yardsticks: Callable[[], Yardsticks],
        *,
        with_notices: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._standings = standings
        self._policy = policy
        self._yardsticks = yardsticks
        self._with_notices = with_notices
        self._clock = clock

    async def find(self, key_hashes: Sequence[KeyHash]) -> Mapping[KeyHash, Standing]:
        """Return the standing of every key that is registered.

        Raises:
            StandingsUnavailableError: within a tenth of a second.
        """
        accounts = await self._standings.find(key_hashes)
        now, yardsticks = self._clock(), self._yardsticks()
        if not self._with_notices:
            accounts = {key_hash: account._replace(notice=None) for key_hash, account in accounts.items()}
        return {key_hash: judge(account, self._policy, yardsticks, now) for key_hash, account in accounts.items()}
