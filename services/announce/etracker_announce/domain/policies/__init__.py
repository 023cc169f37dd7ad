"""Policies of peer selection, by their names in ``ETRACKER_POLICY``.

A policy is a pure function that chooses among the candidates that may be introduced to an asker. The same question has
the same answer on every replica, so announcing again reveals no more peers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from etracker_announce.domain.policies import equilibrium, list_policies, random_peers, tiers
from etracker_announce.domain.policies.equilibrium import EquilibriumParameters
from etracker_announce.domain.policies.question import Asker, Question
from etracker_announce.domain.swarm import Records
from etracker_shared.agreements.policies import PolicyName

__all__ = ["POLICIES", "Asker", "EquilibriumParameters", "Policy", "Question", "configured_policy"]

SPARE_CANDIDATES = 10


def _a_few_more(numwant: int) -> int:
    # The asker itself, other clients of its key and expired peers may be among the candidates.
    return numwant + SPARE_CANDIDATES


def _many(_numwant: int) -> int:
    return equilibrium.WINDOW


def _never(_question: Question, _interval: int | None) -> bool:
    return False


def _always(_question: Question, _interval: int | None) -> bool:
    return True


def _usual(_question: Question) -> int | None:
    return None


def _never_restricted(_torrent_length: int | None) -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class Policy:
    """``choose``: the function. ``choose_many``: the same for several askers at once, if that costs less.

    ``window``: how many candidates the policy needs for a list of numwant peers.
    ``rivals``: if a torrent has at most this many seeders, a seeder's candidates include all other seeders, which the
    policy counts. ``interval``: the announce interval that the policy wants, in seconds; None for the usual one.
    ``restricted_interval``: the same for any leecher of a torrent whose length is given, as long as its age matters.
    ``withholds``: whether the list may be shorter than numwant although there are enough candidates, given the
    interval that the policy wants.
    """

    choose: Callable[[Question, Records], Records]
    choose_many: Callable[[Sequence[Question], Sequence[Records]], list[Records]] | None = None
    window: Callable[[int], int] = _a_few_more
    rivals: int = 0
    interval: Callable[[Question], int | None] = _usual
    restricted_interval: Callable[[int | None], int | None] = _never_restricted
    withholds: Callable[[Question, int | None], bool] = _always


POLICIES = {
    PolicyName.RANDOM: Policy(random_peers.choose, withholds=_never),
    PolicyName.ANNOUNCES: Policy(list_policies.choose_one_more_each),
    PolicyName.SEEDS: Policy(list_policies.choose_one_more_each),
    PolicyName.GOOD_SEEDS: Policy(list_policies.choose_by_good_seeding),
    PolicyName.RATIO: Policy(list_policies.choose_by_ratio),
    PolicyName.TIERS: Policy(tiers.choose, window=_many),
    PolicyName.EQUILIBRIUM: Policy(
        equilibrium.choose,
        equilibrium.choose_many,
        _many,
        equilibrium.RIVALS,
        equilibrium.interval,
        equilibrium.restricted_interval,
        equilibrium.withholds,
    ),
}


def configured_policy(name: PolicyName, parameters: EquilibriumParameters, interval_seconds: int) -> Policy:
    """Return a policy. Only ``equilibrium`` uses ``parameters``; only ``tiers`` uses the tracker's usual interval."""
    policy = POLICIES[name]
    if name is PolicyName.TIERS:
        return replace(policy, choose=partial(tiers.choose, interval_seconds=interval_seconds))
    if name is not PolicyName.EQUILIBRIUM:
        return policy
    return replace(
        policy,
        choose=partial(equilibrium.choose, parameters=parameters),
        choose_many=partial(equilibrium.choose_many, parameters=parameters),
        interval=partial(equilibrium.interval, parameters=parameters),
        restricted_interval=partial(equilibrium.restricted_interval, parameters=parameters),
    )
