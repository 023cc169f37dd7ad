"""Chooses peers, for several announces at once if the policy can, and so that no network crowds a list."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from structlog import get_logger

from etracker_announce.domain.diversity import PER_ADDRESS, thin
from etracker_announce.domain.policies import Policy, Question
from etracker_announce.domain.swarm import Records

log = get_logger("announce")

MOST_CANDIDATES = 4096
"""Limit per batch: with more, an announce would hardly cost less, but the loop would be blocked for longer."""

ChooseMany = Callable[[Sequence[Question], Sequence[Records]], list[Records]]


class Chooser:
    """Chooses peers by a policy."""

    def __init__(self, policy: Policy) -> None:
        self._choose_alone = policy.choose
        self._withholds = policy.withholds
        self._together = Choosing(policy.choose_many) if policy.choose_many else None

    async def choose(self, question: Question, candidates: Records, wanted_interval: int | None) -> Records:
        """Choose the list of one announce. ``wanted_interval``: the interval that the policy wants for it."""
        number = len(candidates)
        leaves_out = number > question.numwant or (number > PER_ADDRESS and self._withholds(question, wanted_interval))
        thinned = thin(candidates, question.seed) if leaves_out else None
        if thinned is None:
            if self._together is None:
                return self._choose_alone(question, candidates)
            return await self._together.choose(question, candidates)
        chosen = self._choose_alone(question, thinned.spread)
        missing = question.numwant - len(chosen)
        if missing > 0:
            # A policy may want a shorter list: fill this one up to the length that it would choose from all candidates.
            missing = len(self._choose_alone(question, candidates)) - len(chosen)
        if missing <= 0:
            return chosen
        more = self._choose_alone(question._replace(numwant=missing), thinned.crowd)
        return np.concatenate((chosen, more))


class _Announce(NamedTuple):
    question: Question
    candidates: Records
    chosen: asyncio.Future[Records]


class Choosing:
    """Chooses at once for all announces that are ready in the same iteration of the event loop.

    They are ready in batches because Redis' replies arrive in batches. None waits for one that isn't ready yet.
    """

    def __init__(self, choose_many: ChooseMany) -> None:
        self._choose_many = choose_many
        self._waiting: deque[_Announce] = deque()

    async def choose(self, question: Question, candidates: Records) -> Records:
        """Choose for one announce. Raises what the policy raises for this announce."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._choose_next)
        chosen: asyncio.Future[Records] = loop.create_future()
        self._waiting.append(_Announce(question, candidates, chosen))
        return await chosen

    def _choose_next(self) -> None:
        batch = [self._waiting.popleft()]
        candidates = len(batch[0].candidates)
        while self._waiting and (candidates := candidates + len(self._waiting[0].candidates)) <= MOST_CANDIDATES:
            batch.append(self._waiting.popleft())
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._choose_next)
        self._choose_for(batch)

    def _choose_for(self, batch: Sequence[_Announce]) -> None:
        try:
            lists = self._choose_many([one.question for one in batch], [one.candidates for one in batch])
        except Exception as error:  # choosing for each one alone shows which announce is at fault
            if len(batch) > 1:
                log.exception("choosing_together_failed", announces=len(batch))
                for one in batch:
                    self._choose_for([one])
            elif not batch[0].chosen.done():
                batch[0].chosen.set_exception(error)
        else:
            for one, chosen in zip(batch, lists, strict=True):
                if not one.chosen.done():
                    one.chosen.set_result(chosen)
