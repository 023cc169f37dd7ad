"""Tell announce how to treat askers."""

import time
from collections.abc import Callable, Mapping, Sequence

from etracker_scoring.domain.newcomers import Newcomer, welcome
from etracker_scoring.domain.policies import Policy
from etracker_scoring.domain.score import DAY, ScoreParameters
from etracker_scoring.domain.standings import Account, Yardsticks, guest, judge
from etracker_scoring.domain.tier import Origin, enter
from etracker_scoring.ports import Standings, StandingsUnavailableError
from etracker_shared.identity import KeyHash
from etracker_shared.tiers import Standing


class Tiers:
    """Judges keys as they stand now.

    ``with_notices``: let announces tell of changed tiers. ``guest``: the standing of who has no key.
    """

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
        self.guest = guest(policy)

    async def find(self, askers: Mapping[KeyHash, bytes]) -> Mapping[KeyHash, Standing]:
        """Return the standing of every key that is registered. ``askers``: keys, each with its prefix if it is known.

        Raises:
            StandingsUnavailableError: within a tenth of a second.
        """
        accounts = await self._standings.find(list(askers))
        now, yardsticks = self._clock(), self._yardsticks()
        if not self._with_notices:
            accounts = {key_hash: account._replace(notice=None) for key_hash, account in accounts.items()}
        newcomers = [
            Newcomer(account.key.id, askers[key_hash], now)
            for key_hash, account in accounts.items()
            if account.key.origin.since is None and askers[key_hash]
        ]
        if newcomers:
            origins = await self._welcome(newcomers, now, yardsticks.parameters)
            accounts = {key_hash: _entered(account, origins, yardsticks) for key_hash, account in accounts.items()}
        return {key_hash: judge(account, self._policy, yardsticks, now) for key_hash, account in accounts.items()}

    async def _welcome(
        self, newcomers: Sequence[Newcomer], now: float, parameters: ScoreParameters
    ) -> Mapping[int, Origin]:
        """Decide as the worker will when the announce under way is settled: the client comes back much later."""
        prefixes = list({newcomer.prefix for newcomer in newcomers})
        seen_after = now - parameters.prefix_memory_days * DAY
        try:
            neighbours = await self._standings.find_neighbours(prefixes, seen_after)
        except StandingsUnavailableError:  # those who aren't new must not wait for it
            return {}
        return welcome(newcomers, neighbours, parameters).origins


def _entered(account: Account, origins: Mapping[int, Origin], yardsticks: Yardsticks) -> Account:
    origin = origins.get(account.key.id)
    if origin is None:
        return account
    return account._replace(key=account.key._replace(origin=origin, held=enter(origin, yardsticks.parameters)))
