"""Policies of peer selection, by their names in ``ETRACKER_POLICY``.

A policy is one pure function that chooses among the candidates that may be introduced at all. The same question has
the same answer on every replica, so asking again reveals no more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from etracker_announce.domain.policies import announces, equilibrium, good_seeds, random_peers, ratio, seeds, tiers
from etracker_announce.domain.policies.equilibrium import EquilibriumParameters
from etracker_announce.domain.policies.question import Asker, Question
from etracker_announce.domain.swarm import Records

__all__ = ["DEFAULT_POLICY", "POLICIES", "Asker", "EquilibriumParameters", "Policy", "Question", "configured_policy"]

DEFAULT_POLICY = "equilibrium"

SPARE_CANDIDATES = 10


def _a_few_more(numwant: int) -> int:
    # The asker itself, its key's other clients and expired peers are among the candidates.
    return numwant + SPARE_CANDIDATES


def _many(_numwant: int) -> int:
    return equilibrium.WINDOW


def _usual(_question: Question) -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class Policy:
    """``choose``: the function. ``choose_many``: the same for several askers at once, if that costs less.

    ``window``: how many candidates it needs for a list of numwant.
    ``rivals``: if a torrent has at most this many seeders, a seeder's candidates include the others, to be counted.
    ``interval``: the announce interval that it wants, in seconds; None for the usual one.
    """

    choose: Callable[[Question, Records], Records]
    choose_many: Callable[[Sequence[Question], Sequence[Records]], list[Records]] | None = None
    window: Callable[[int], int] = _a_few_more
    rivals: int = 0
    interval: Callable[[Question], int | None] = _usual


POLICIES = {
    "random": Policy(random_peers.choose),
    "announces": Policy(announces.choose),
    "seeds": Policy(seeds.choose),
    "good_seeds": Policy(good_seeds.choose),
    "ratio": Policy(ratio.choose),
    "tiers": Policy(tiers.choose, window=_many),
    "equilibrium": Policy(equilibrium.choose, equilibrium.choose_many, _many, equilibrium.RIVALS, equilibrium.interval),
}


def configured_policy(name: str, parameters: EquilibriumParameters, interval_seconds: int) -> Policy:
    """Return a policy. ``parameters`` are for ``equilibrium``, the tracker's usual interval is for ``tiers``."""
    policy = POLICIES[name]
    if policy.choose is tiers.choose:
        return replace(policy, choose=partial(tiers.choose, interval_seconds=interval_seconds))
    if policy.choose is not equilibrium.choose:
        return policy
    return replace(
        policy,
        choose=partial(equilibrium.choose, parameters=parameters),
        choose_many=partial(equilibrium.choose_many, parameters=parameters),
        interval=partial(equilibrium.interval, parameters=parameters),
    )
