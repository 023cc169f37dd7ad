"""All runs of the lab, spread over the cores, and their summary."""

import itertools
import multiprocessing
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from etracker_announce.domain.policies import POLICIES
from etracker_shared.agreements.policies import DEFAULT_POLICY, PolicyName

from . import connections, transfer
from .attacks import REFERENCE, Attack
from .community import Payoff, draw_community, play_community
from .measures import Run, compare, compare_attacked, estimate, summarise
from .people import play
from .regimes import LARGE, REGIMES, draw_population
from .state import LEECHER, make_swarms

PLAIN, DEFAULT = PolicyName.RANDOM, DEFAULT_POLICY
ALL_REGIMES = {**REGIMES, LARGE.name: LARGE}


@dataclass(frozen=True, slots=True)
class Task:
    """One run. ``regime``: None for the community (``community.py``). ``cost``: roughly the seconds that it takes."""

    regime: str | None
    policy: PolicyName
    seed: int
    attack: Attack = Attack.NONE
    cost: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The number of paired runs of each kind.

    ``regimes``: of every policy. ``fresh``: of the plain tracker and the default policy, with the seeds that follow.
    """

    regimes: dict[str, int]
    fresh: dict[str, int]
    attacks: dict[str, int]
    asking_in_large: int
    communities: int


FULL = Plan(dict.fromkeys(REGIMES, 24), dict.fromkeys(REGIMES, 24), dict.fromkeys(REGIMES, 12), 3, 3)
QUICK = Plan(
    {"tiny": 4, "rich": 4, "poor": 4, "flash": 2},
    {"tiny": 4, "rich": 4, "poor": 4, "flash": 2},
    {"tiny": 2, "rich": 2, "poor": 2},
    0,
    1,
)

_COSTS = {"tiny": 0.3, "rich": 0.3, "poor": 0.4, "flash": 1.0, "large": 30.0}
_PUBLISHED = ("fr_over_c", "contributors", "newcomers", "mean", "stranded", "ci")
_COMMUNITY_COST = 20.0


def tasks_of(plan: Plan) -> list[Task]:
    """List the runs of a plan, the longest first."""
    tasks = [
        Task(regime, policy, seed, cost=_COSTS[regime])
        for regime, seeds in plan.regimes.items()
        for policy in POLICIES
        for seed in range(seeds)
    ]
    tasks += [
        Task(regime, policy, plan.regimes[regime] + seed, cost=_COSTS[regime])
        for regime, seeds in plan.fresh.items()
        for policy in (PLAIN, DEFAULT)
        for seed in range(seeds)
    ]
    tasks += [
        Task(regime, DEFAULT, seed, attack, 2 * _COSTS[regime])
        for regime, seeds in plan.attacks.items()
        for attack in Attack
        if attack is not Attack.NONE
        for seed in range(seeds)
    ]
    tasks += [
        Task(LARGE.name, DEFAULT, seed, attack, _COSTS[LARGE.name])
        for attack in (Attack.NONE, Attack.ASK_EVERY_MINUTE)
        for seed in range(plan.asking_in_large)
    ]
    tasks += [
        Task(None, policy, seed, cost=_COMMUNITY_COST)
        for policy in (PLAIN, DEFAULT)
        for seed in range(plan.communities)
    ]
    return sorted(tasks, key=lambda task: -task.cost)


def perform(task: Task) -> tuple[Task, Run | Payoff]:
    """Simulate one run. Its seed draws the same people for every policy and attack."""
    policy = POLICIES[task.policy]
    if task.regime is None:
        return task, play_community(draw_community(task.seed), policy, task.seed)
    population = draw_population(ALL_REGIMES[task.regime], task.seed)
    return task, summarise(play(population, task.policy, policy, task.seed, task.attack))


def perform_all(tasks: list[Task]) -> Iterator[tuple[Task, Run | Payoff]]:
    """Simulate all runs on all cores, in any order."""
    compile_everything()
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        yield from pool.imap_unordered(perform, tasks)


def compile_everything() -> None:
    """Call every compiled loop once, so that the worker processes find its machine code in the cache."""
    one = np.ones(2, np.int64)
    swarms = make_swarms(
        up=one, down=one, reachable=one > 0, user=np.arange(2), torrent=one - 1, torrent_bytes=one[:1], seed=1
    )
    for peer in range(2):
        connections.join(swarms, peer, LEECHER)
    connections.learn(swarms, 0, np.array([1]))
    connections.exchange_peers(swarms)
    transfer.run(swarms, 0, 1)
    connections.leave(swarms, 0)


Results = dict[str, dict[str, Any]]


def add_up(results: dict[Task, Run | Payoff], chosen: dict[str, int]) -> Results:
    """Summarise all runs, in the format of ``build/equilibrium.json``.

    ``chosen``: by regime, how many seeds were played under every policy. Those that follow are summarised apart.
    """
    runs: dict[tuple[str, str, Attack], list[Run]] = defaultdict(list)
    fresh: dict[tuple[str, str], list[Run]] = defaultdict(list)
    payoffs: dict[str, list[Payoff]] = defaultdict(list)
    for task, result in sorted(results.items(), key=lambda item: item[0].seed):
        if isinstance(result, Payoff):
            payoffs[task.policy].append(result)
        elif task.regime in chosen and task.seed >= chosen[task.regime]:
            fresh[task.regime, task.policy].append(result)
        elif task.regime is not None:
            runs[task.regime, task.policy, task.attack].append(result)
    summary: Results = {
        regime: {
            policy: compare(*_pairs(runs[regime, policy, Attack.NONE], runs[regime, PLAIN, Attack.NONE]))
            for policy in POLICIES
        }
        for regime in REGIMES
    }
    summary["fresh"] = {regime: {DEFAULT: compare(fresh[regime, DEFAULT], fresh[regime, PLAIN])} for regime in REGIMES}
    summary["attacks"] = _attacks(runs)
    summary["payoff"] = {policy: _payoff(payoffs[policy]) for policy in (PLAIN, DEFAULT)}
    return summary


def _pairs(some: list[Run], others: list[Run]) -> tuple[list[Run], list[Run]]:
    """Keep the seeds that both have: seeds start at 0, and the number of runs differs between policies and attacks."""
    both = min(len(some), len(others))
    return some[:both], others[:both]


def published(summary: Results) -> Results:
    """Return the numbers for ``build/equilibrium.json``, without those that only the page and its pictures show."""
    regimes = {regime: _published(summary[regime]) for regime in REGIMES}
    fresh = {regime: _published(found) for regime, found in summary["fresh"].items()}
    return {**regimes, "fresh": fresh, "attacks": summary["attacks"], "payoff": summary["payoff"]}


def _published(by_policy: dict[str, Any]) -> dict[str, Any]:
    return {policy: {name: found[name] for name in _PUBLISHED} for policy, found in by_policy.items()}


def _attacks(runs: dict[tuple[str, str, Attack], list[Run]]) -> dict[str, Any]:
    attacks: dict[str, dict[str, Any]] = defaultdict(dict)
    for attack, regime in itertools.product(Attack, ALL_REGIMES):
        attacked = runs.get((regime, DEFAULT, attack))
        if attacked and attack is not Attack.NONE:
            unattacked = runs[regime, DEFAULT, REFERENCE.get(attack, Attack.NONE)]
            attacks[attack.value][regime] = compare_attacked(*_pairs(attacked, unattacked))
    return dict(attacks)


def _payoff(payoffs: list[Payoff]) -> dict[str, Any]:
    found = estimate([advantage for payoff in payoffs for advantage in payoff.advantages])
    return {
        "advantage": round(found.value, 4),
        "ci": [round(found.low, 4), round(found.high, 4)],
        "tiers_of_seeders": [sum(tier) for tier in zip(*(p.tiers_of_seeders for p in payoffs), strict=True)],
        "tiers_of_leavers": [sum(tier) for tier in zip(*(p.tiers_of_leavers for p in payoffs), strict=True)],
    }
