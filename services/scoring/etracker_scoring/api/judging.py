"""Judge the peers in announce's requests."""

import asyncio
import contextlib
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

NEWCOMERS_SECONDS = 0.06
"""For everything about a request's new keys; with the lookup before it, less than the 0.15 s that announce waits."""


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

    async def promise_graces(self, newcomers: Sequence[Newcomer], now: float) -> set[int]:
        """Promise each prefix's grace to one of the newcomers from it, unless it is promised already.

        Return the ids of those that have a promise, made now or before. On every replica the same key has it.

        Raises:
            LookupUnavailableError: Postgres doesn't answer or takes no writes; raised within a tenth of a second.
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
        """Decide as the worker will once this announce is settled, because the client's next announce is much later.

        A grace counts once it is promised. Keys that aren't new don't depend on any of this, and don't wait for it.
        """
        origins: Mapping[int, Origin] = {}
        with contextlib.suppress(LookupUnavailableError, TimeoutError):
            async with asyncio.timeout(NEWCOMERS_SECONDS):
                possible = await self._find_origins(newcomers, now, parameters)
                origins = {key_id: origin._replace(grace=False) for key_id, origin in possible.items()}
                promised = await self._promise(newcomers, possible, now)
                origins = {key_id: origin._replace(grace=key_id in promised) for key_id, origin in possible.items()}
        return origins

    async def _find_origins(
        self, newcomers: Sequence[Newcomer], now: float, parameters: ScoreParameters
    ) -> Mapping[int, Origin]:
        """Return the newcomers' origins, one of them with the grace wherever it is free."""
        prefixes = list({newcomer.prefix for newcomer in newcomers})
        neighbours = await self._lookups.find_neighbours(prefixes, now - parameters.prefix_memory_days * DAY)
        return decide_origins(newcomers, neighbours, parameters).by_key

    async def _promise(self, newcomers: Sequence[Newcomer], origins: Mapping[int, Origin], now: float) -> set[int]:
        """Return which newcomers have a promise, of all those whose prefix has a free grace."""
        free = {newcomer.prefix for newcomer in newcomers if origins[newcomer.key_id].grace}
        candidates = [newcomer for newcomer in newcomers if newcomer.prefix in free]
        return await self._lookups.promise_graces(candidates, now) if candidates else set()


def _entered(account: Account, origins: Mapping[int, Origin], yardsticks: Yardsticks) -> Account:
    origin = origins.get(account.key.id)
    if origin is None:
        return account
    return account._replace(key=account.key._replace(origin=origin, held=enter(origin, yardsticks.parameters)))
