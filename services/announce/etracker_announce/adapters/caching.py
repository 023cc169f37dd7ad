"""A bounded cache in front of Postgres that is told of changes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import LRUCache, TTLCache

V = TypeVar("V")

RECHECK_SECONDS = 1.0
"""How long an entry is trusted while nobody tells of changes, or right after one."""

REMEMBERED_CHANGES = 65536

Clock = Callable[[], float]


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V
    asked_at: float
    trusted_until: float
    round: int


class NotifiedCache(Generic[V]):
    """Keeps answers for ``fresh_seconds`` while ``is_told`` says that changes would be heard of.

    An answer asked for less than a second after its key changed is trusted for a second only: who gave
    it may not have heard yet. Entries that are no longer trusted are still there to fall back on.
    """

    def __init__(
        self, max_entries: int, fresh_seconds: float, is_told: Callable[[], bool], clock: Clock = time.monotonic
    ) -> None:
        self._entries: LRUCache[bytes, _Entry[V]] = LRUCache(max_entries)
        self._changed: TTLCache[bytes, bool] = TTLCache(REMEMBERED_CHANGES, RECHECK_SECONDS, timer=clock)
        self._everything_changed_at = -RECHECK_SECONDS
        self._round = 0
        self._fresh_seconds = fresh_seconds
        self._is_told = is_told
        self._clock = clock

    def fresh(self, key: bytes) -> V | None:
        """Return the value if it may be trusted."""
        entry = self._entries.get(key)
        if entry is None or entry.round != self._round:
            return None
        now = self._clock()
        if now >= entry.trusted_until or (now >= entry.asked_at + RECHECK_SECONDS and not self._is_told()):
            return None
        return entry.value

    def last_known(self, key: bytes) -> V | None:
        """Return the value, trusted or not, unless it changed since."""
        entry = self._entries.get(key)
        return entry.value if entry else None

    def age(self, key: bytes) -> float:
        """Return how many seconds ago the value was asked for; infinity if there is none."""
        entry = self._entries.get(key)
        return self._clock() - entry.asked_at if entry else float("inf")

    def put(self, key: bytes, value: V, asked_at: float) -> None:
        """Keep an answer to a question of ``asked_at`` (this cache's clock)."""
        settled = key not in self._changed and asked_at >= self._everything_changed_at + RECHECK_SECONDS
        trusted_until = asked_at + (self._fresh_seconds if settled else RECHECK_SECONDS)
        self._entries[key] = _Entry(value, asked_at, trusted_until, self._round)

    def drop(self, key: bytes) -> None:
        """Forget a value that turned out to be of another kind."""
        self._entries.pop(key, None)

    def forget(self, keys: Sequence[bytes] | None) -> None:
        """Hear that keys changed; None: any may have, so none is trusted until asked for again."""
        if keys is None:
            self._round += 1
            self._everything_changed_at = self._clock()
            return
        for key in keys:
            self._entries.pop(key, None)
            self._changed[key] = True
