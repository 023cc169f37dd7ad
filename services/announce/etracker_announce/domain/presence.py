"""How long a leecher has waited in a torrent: its age grows only while it is present, more slowly without progress.

announce.lua computes the same for the records in Redis; a contract test compares the two.
"""

import math
from typing import NamedTuple

UNIT_BYTES = 16_384
"""The smallest piece of a torrent, so that each piece a client completes is seen as progress."""

UNKNOWN_LEFT = 2**32 - 1
"""The units left of a client that doesn't say how much it has left. It never makes progress."""

LONGEST_JITTER = 1.1
LONGEST_GAP = 1.5


class Pace(NamedTuple):
    """What counts of the time between two announces of a leecher.

    ``longest_gap``: a leecher counts as present for at most so many seconds after an announce; 0: nothing counts.
    ``idle``: the part of this time that counts without progress, more than 0 and at most 1.
    """

    longest_gap: int
    idle: float


class Presence(NamedTuple):
    """A leecher's presence as of its last announce.

    ``counts_from``: when it would have joined, in Unix seconds, if all the time since then counted. ``seen``: its last
    announce. ``least_left``: the least it has reported as left, in units. ``asked``: whether it asked for peers.
    """

    counts_from: int
    seen: int
    least_left: int
    asked: bool = True

    @property
    def age(self) -> int:
        """The seconds that count."""
        return self.seen - self.counts_from


def join(now: int, left: int, *, age: int = 0, asked: bool = True) -> Presence:
    """Return the presence of a leecher that joins, or comes back after it left or expired with the age it had then."""
    return Presence(now - age, now, left, asked)


def announce(before: Presence, now: int, left: int, pace: Pace, *, asked: bool = True) -> Presence:
    """Return the presence of a leecher that announces again.

    It has made progress if it has less left than ever before. Without progress, time counts only if the leecher asked
    for peers at both announces: otherwise it wasn't waiting for any.
    """
    waits = asked and before.asked
    share = 1.0 if left < before.least_left else waits * pace.idle
    age = before.age + counted_seconds(before.seen, now, pace.longest_gap, share)
    return Presence(now - age, now, min(left, before.least_left), asked)


def counted_seconds(seen: int, now: int, longest_gap: int, share: float) -> int:
    """Return how many of the seconds between two announces count.

    Both ends are rounded in the same way, so that many short gaps count exactly as much as one long gap.
    """
    until = min(max(now, seen), seen + longest_gap)
    return math.floor(until * share) - math.floor(seen * share)


def left_units(left_bytes: int) -> int:
    """Return the bytes left in units; a negative number is unknown."""
    return UNKNOWN_LEFT if left_bytes < 0 else min(left_bytes // UNIT_BYTES, UNKNOWN_LEFT)


def longest_gap(interval_seconds: int) -> int:
    """Return for how long a leecher counts as present after an announce. ``interval_seconds``: before the jitter."""
    return math.ceil(interval_seconds * LONGEST_JITTER * LONGEST_GAP)
