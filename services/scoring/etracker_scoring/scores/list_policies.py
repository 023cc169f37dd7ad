"""How long a list each selection policy grants a key (docs/operations.md, "Choosing a policy")."""

from collections.abc import Callable
from typing import NamedTuple

from etracker_shared.agreements.policies import PolicyName


class History(NamedTuple):
    """What a key has done so far. ``seeding``: torrents seeded now; counters in bytes.

    ``announced``: torrents it ever announced; ``generous``: the share of those with uploaded >= downloaded, 0 to 1.
    """

    seeding: int
    snatched: int
    uploaded: int
    downloaded: int
    announced: int = 0
    generous: float = 0.0


NO_GOOD_SEEDER = 5.0
"""How many torrents a good seeder seeds, on a tracker where no key seeds."""


def share_of(policy: PolicyName, history: History, good_seeding: float) -> float:
    """Return what a list policy grants a key, in the policy's own unit; 0 under a policy without lists.

    ``good_seeding``: see :func:`good_seeding_of`.
    """
    formula = SHARES.get(policy)
    return formula(history, good_seeding) if formula else 0.0


def guests_share(policy: PolicyName) -> float:
    """Return what a list policy grants a guest: the shortest list, so that registering is always better.

    The share of ``ratio`` is the withheld fraction. Its formula would give 0 for a guest, who has no history.
    """
    return 1.0 if policy is PolicyName.RATIO else 0.0


def withheld_share(history: History) -> float:
    """Return the share of numwant that policy ``ratio`` withholds, 0 to 1.

    (1 - p) * max(0, 2 - r) / 2, with p = torrents seeded now / snatched (1 if none) and
    r = uploaded / downloaded (0 if nothing was downloaded).
    """
    seeded = history.seeding / history.snatched if history.snatched else 1.0
    ratio = history.uploaded / history.downloaded if history.downloaded else 0.0
    return min(1.0, max(0.0, (1.0 - seeded) * max(0.0, 2.0 - ratio) / 2.0))


def good_seeding_of(mean: float, deviation: float) -> float:
    """Return how many torrents a good seeder seeds, from the mean and standard deviation over active keys."""
    return mean + deviation if mean > 0 else NO_GOOD_SEEDER


SHARES: dict[PolicyName, Callable[[History, float], float]] = {
    PolicyName.RATIO: lambda history, _: withheld_share(history),
    PolicyName.ANNOUNCES: lambda history, _: float(history.announced),
    PolicyName.SEEDS: lambda history, _: float(history.seeding),
    PolicyName.GOOD_SEEDS: lambda history, good_seeding: history.seeding * (1.0 + history.generous) / good_seeding,
}
