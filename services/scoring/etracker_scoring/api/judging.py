"""Judge the peers in announce's requests."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from etracker_scoring.api.treatment import Account, guest, judge
from etracker_scoring.errors import LookupUnavailableError
from etracker_scoring.scores.formula import DAY, ScoreParameters
from etracker_scoring.scores.newcomers import Neighbour, Newcomer, decide_origins
from etracker_scoring.scores.tiers import Origin, enter
from etracker_scoring.stored.yardsticks import Yardsticks
from etracker_shared.agreements.policies import PolicyName
from etracker_shared.agreements.tiers import Treatment
from etracker_shared.language.identity import KeyHash


class Lookups(Protocol):
    """Looks up what is stored about keys, while an announce waits."""

    async def find(self, key_hashes: Sequence[KeyHash]) -> Mapping[KeyHash, Account]:
        """Return the registered ones of these keys, with what the policy in use needs to know about them. One query.

        Raises:
            LookupUnavailableError: Postgres doesn't answer; raised within a tenth of a second.
        """
        ...

    async def find_neighbours(self, prefixes: Sequence[bytes], seen_after: float) -> Sequence[Neighbour]:
        """Return the keys that first announced from these prefixes and were seen after a moment (Unix seconds).

        Keys that neither hold a grace nor can be free-riders are left out.

        Raises:
            LookupUnavailableError: Postgres doesn't answer; raised within a tenth of a second.
        """
        ...


class Judge:
    """Judges keys as of the time of the request.

    ``with_notices``: include notices about changed tiers. ``guest``: the treatment of a peer without a key.
    """

    def __init__(
        self,
        lookups: Lookups,
        policy: PolicyName,
        yardsticks: Callable[[], Yardsticks],
        *,
        with_notices: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._lookups = lookups
        self._policy = policy
        self._yardsticks = yardsticks
        self._with_notices = with_notices
        self._clock = clock
        self.guest = guest(policy)

    async def find(self, askers: Mapping[KeyHash, bytes]) -> Mapping[KeyHash, Treatment]:
        """Return the treatment of every registered key. ``askers``: keys, each with its prefix if that is known.

        Raises:
            LookupUnavailableError: Postgres doesn't answer; raised within a tenth of a second.
        """
        accounts = await self._lookups.find(list(askers))
        now, yardsticks = self._clock(), self._yardsticks()
        if not self._with_notices:
            accounts = {key_hash: account._replace(notice=None) for key_hash, account in accounts.items()}
        newcomers = [
            Newcomer(account.key.id, askers[key_hash], now)
            for key_hash, account in accounts.items()
            if account.key.origin.since is None and askers[key_hash]
        ]
        if newcomers:
            origins = await self._decide_origins(newcomers, now, yardsticks.parameters)
            accounts = {key_hash: _entered(account, origins, yardsticks) for key_hash, account in accounts.items()}
        return {key_hash: judge(account, self._policy, yardsticks, now) for key_hash, account in accounts.items()}

    async def _decide_origins(
        self, newcomers: Sequence[Newcomer], now: float, parameters: ScoreParameters
    ) -> Mapping[int, Origin]:
        """Decide as the worker will once this announce is settled, because the client's next announce is much later."""
        prefixes = list({newcomer.prefix for newcomer in newcomers})
        seen_after = now - parameters.prefix_memory_days * DAY
        try:
            neighbours = await self._lookups.find_neighbours(prefixes, seen_after)
        except LookupUnavailableError:  # keys that aren't new don't depend on it
            return {}
        return decide_origins(newcomers, neighbours, parameters).by_key


def _entered(account: Account, origins: Mapping[int, Origin], yardsticks: Yardsticks) -> Account:
    origin = origins.get(account.key.id)
    if origin is None:
        return account
    return account._replace(key=account.key._replace(origin=origin, held=enter(origin, yardsticks.parameters)))
