"""What list policies make of a key's statistics (INCENTIVES.md, "Peer selection")."""

from enum import StrEnum
from typing import NamedTuple


class Policy(StrEnum):
    """Selection policies by the names announce uses."""

    RANDOM = "random"
    ANNOUNCES = "announces"
    SEEDS = "seeds"
    GOOD_SEEDS = "good_seeds"
    RATIO = "ratio"
    TIERS = "tiers"
    EQUILIBRIUM = "equilibrium"


class History(NamedTuple):
    """What a key did so far. ``seeding``: torrents seeded now; counters in bytes."""

    seeding: int
    snatched: int
    uploaded: int
    downloaded: int


def withheld_share(history: History) -> float:
    """Return the share of numwant that policy ``ratio`` withholds, 0 to 1.

    (1 - p) * max(0, 2 - r) / 2, with p = torrents seeded now / snatched (1 if none) and
    r = uploaded / downloaded (0 if nothing was downloaded).
    """
    seeded = history.seeding / history.snatched if history.snatched else 1.0
    ratio = history.uploaded / history.downloaded if history.downloaded else 0.0
    return min(1.0, max(0.0, (1.0 - seeded) * max(0.0, 2.0 - ratio) / 2.0))
