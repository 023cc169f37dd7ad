"""What an announce may cost: ratios of CPU times within one run, and how long an announce may wait for others."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.measure import KEEP_ALIVE, MODES, NEW_CONNECTION
from bench.names import (
    CLUSTER,
    DEFAULT,
    ETRACKER,
    GATEWAY,
    LARGE,
    ONE_SWARM,
    OTHERS,
    PACED,
    PLAIN,
    SAME_LOAD,
    SCALE,
    SMALL,
    UNDER,
    UNGATHERED,
    WEBTORRENT,
    at_commit,
    under,
)


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that ``above`` may cost, divided by what ``below`` costs, in one stage and mode."""

    stage: str
    above: str
    below: str
    mode: str
    most: float


LONGEST_P50_MS = 20.0
"""Half of the announces at the steady rate are answered within this time, although they are gathered."""


def bounds(commit: str) -> Iterator[Bound]:
    """Return all bounds. ``commit``: the older one that is measured too; empty if there is none."""
    yield Bound(OTHERS, ETRACKER, WEBTORRENT, NEW_CONNECTION, 0.8)
    yield Bound(OTHERS, ETRACKER, WEBTORRENT, KEEP_ALIVE, 1.0)
    for mode in MODES:
        yield Bound(PACED, ETRACKER, WEBTORRENT, mode, 1.1)
        yield Bound(PACED, ETRACKER, UNGATHERED, mode, 0.75)
        yield Bound(OTHERS, ETRACKER, UNGATHERED, mode, 1.05)
        yield Bound(OTHERS, GATEWAY, ETRACKER, mode, 2.5)
        yield Bound(PACED, GATEWAY, ETRACKER, mode, 2.5)
        yield Bound(OTHERS, CLUSTER, ETRACKER, mode, 2.5)
        yield Bound(PACED, CLUSTER, ETRACKER, mode, 2.5)
        if commit:
            yield Bound(PACED, ETRACKER, at_commit(ETRACKER, commit), mode, 0.75)
            yield Bound(OTHERS, ETRACKER, at_commit(ETRACKER, commit), mode, 1.05)
        yield Bound(SCALE, LARGE, SMALL, mode, 1.2)
        yield Bound(SCALE, SAME_LOAD, SMALL, mode, 1.2)
        yield Bound(SCALE, ONE_SWARM, SMALL, mode, 1.5)
        for world in (SMALL, ONE_SWARM):
            yield Bound(UNDER, under(DEFAULT, world), under(PLAIN, world), mode, 1.4)
