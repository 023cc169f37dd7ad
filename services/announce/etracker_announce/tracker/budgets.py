"""Limits how often a client's announces are processed in full: those beyond that get its last answer from memory."""

from collections.abc import Callable
from typing import NamedTuple

from cachetools import LRUCache

from etracker_announce.domain.answers import AnnounceAnswer
from etracker_announce.domain.requests import AnnounceRequest
from etracker_shared.agreements.facts import MAX_SUPPRESSED, Event
from etracker_shared.language.identity import InfoHash, KeyHash

MOST_CLIENTS = 65_536
"""The most clients in each of two generations. Beyond that the oldest are forgotten, and get a whole burst again."""

MOST_ANSWERS = 2048


class _Remembered:
    """The last answer to a client whose next announce may come too early. ``left``: what it reported then."""

    __slots__ = ("answer", "left", "suppressed")

    def __init__(self, answer: AnnounceAnswer, left: int) -> None:
        self.answer = answer
        self.left = left
        self.suppressed = 0


class Budget(NamedTuple):
    """What one announce may cost.

    ``answer``: the answer to repeat, or None if the announce is to take its step. ``remember``: keep its answer, since
    the next announce may come too early. ``suppressed``: how many were answered from memory since the last step.
    """

    client: int
    answer: AnnounceAnswer | None
    remember: bool = False
    suppressed: int = 0


UNLIMITED = Budget(0, None)


class Budgets:
    """Grants each client instance a burst of announces, and one more every ``seconds``.

    An announce with an event, or with other bytes left than before, always takes its step. A client instance is a key
    or guest and a peer_id at one endpoint in one torrent; honest clients need less. ``burst`` 0: no limits.
    """

    def __init__(self, burst: int, seconds: int, on_suppressed: Callable[[], None]) -> None:
        self._allowance = (burst - 1) * seconds
        self._seconds = seconds
        self._limited = burst > 0
        self._on_suppressed = on_suppressed
        # By client: when it will have its whole burst again (Unix time).
        self._recent: dict[int, float] = {}
        self._older: dict[int, float] = {}
        self._remembered: LRUCache[int, _Remembered] = LRUCache(MOST_ANSWERS)

    def spend(
        self, request: AnnounceRequest, key_hash: KeyHash, info_hash: InfoHash, endpoint: bytes, now: float
    ) -> Budget:
        """Return what an announce may cost, and deduct it from the client's budget."""
        if not self._limited:
            return UNLIMITED
        client = hash((key_hash, info_hash, request.peer_id, endpoint))
        whole_at = self._recent.get(client) or self._older.get(client, 0.0)
        if whole_at <= now:
            self._put(client, now + self._seconds)
            return Budget(client, None, remember=not self._allowance)
        debt = whole_at - now
        remembered = self._remembered.get(client) if self._remembered else None
        if debt > self._allowance and remembered and request.event is Event.REGULAR and request.left == remembered.left:
            remembered.suppressed = min(MAX_SUPPRESSED, remembered.suppressed + 1)
            self._on_suppressed()
            return Budget(client, remembered.answer)
        debt = min(debt + self._seconds, self._allowance + self._seconds)
        self._put(client, now + debt)
        return Budget(client, None, debt > self._allowance, remembered.suppressed if remembered else 0)

    def remember(self, budget: Budget, request: AnnounceRequest, answer: AnnounceAnswer) -> None:
        """Keep an answer for the announces that come too early."""
        self._remembered[budget.client] = _Remembered(answer, request.left)

    def _put(self, client: int, whole_at: float) -> None:
        if len(self._recent) >= MOST_CLIENTS:
            self._older, self._recent = self._recent, {}
        self._recent[client] = whole_at
