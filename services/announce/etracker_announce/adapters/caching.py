"""A bounded cache that Postgres notifies of changes."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from cachetools import TTLCache

V = TypeVar("V")

RECHECK_SECONDS = 1.0
"""How long an entry is trusted without notifications, or right after a change."""

REMEMBERED_CHANGES = 65536

Clock = Callable[[], float]


class NotifiedCache(Generic[V]):
    """Keeps answers for ``fresh_seconds``, provided that ``is_notified`` says that changes are reported.

    An answer that was requested within a second of a change is only trusted for a second: the answering service may
    not know of the change yet. Entries that are no longer trusted remain available as a fallback.

    Beyond ``max_entries`` the oldest answer is evicted, whether or not it is in use. It is the next to expire anyway,
    and reading then needs no bookkeeping. Entries are tuples, since there are hundreds of thousands of them.
    """

    def __init__(
        self, max_entries: int, fresh_seconds: float, is_notified: Callable[[], bool], clock: Clock = time.monotonic
    ) -> None:
        self._max_entries = max_entries
        # The value, when it was requested, until when it is trusted, and the round in which it was stored.
        self._entries: OrderedDict[bytes, tuple[V, float, float, int]] = OrderedDict()
        self._changed: TTLCache[bytes, bool] = TTLCache(REMEMBERED_CHANGES, RECHECK_SECONDS, timer=clock)
        self._everything_changed_at = -RECHECK_SECONDS
        self._round = 0
        self._fresh_seconds = fresh_seconds
        self._is_notified = is_notified
        self._clock = clock

    def fresh(self, key: bytes) -> V | None:
        """Return the value if it is trusted."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        value, asked_at, trusted_until, asked_in = entry
        now = self._clock()
        if asked_in != self._round or now >= trusted_until:
            return None
        if now >= asked_at + RECHECK_SECONDS and not self._is_notified():
            return None
        return value

    def last_known(self, key: bytes) -> V | None:
        """Return the value, trusted or not, unless it has changed since."""
        entry = self._entries.get(key)
        return entry[0] if entry else None

    def put(self, key: bytes, value: V, asked_at: float) -> None:
        """Keep an answer that was requested at ``asked_at`` (by this cache's clock)."""
        settled = key not in self._changed and asked_at >= self._everything_changed_at + RECHECK_SECONDS
        trusted_until = asked_at + (self._fresh_seconds if settled else RECHECK_SECONDS)
        self._entries[key] = value, asked_at, trusted_until, self._round
        self._entries.move_to_end(key)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def amend(self, key: bytes, value: V) -> None:
        """Replace a known value; it expires when the old one would have."""
        self._entries[key] = value, *self._entries[key][1:]

    def drop(self, key: bytes) -> None:
        """Remove a value that turned out to belong in another cache."""
        self._entries.pop(key, None)

    def forget(self, keys: Sequence[bytes] | None) -> None:
        """Note that keys changed. None means that any may have: no entry is trusted until it is looked up again."""
        if keys is None:
            self._round += 1
            self._everything_changed_at = self._clock()
            return
        for key in keys:
            self._entries.pop(key, None)
            self._changed[key] = True
