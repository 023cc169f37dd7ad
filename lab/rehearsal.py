"""The swarm of ``make equilibrium-real``, simulated: does the simulator rank policies as real clients do?"""

import functools
import json
import statistics
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from etracker_announce.domain.policies import POLICIES, Policy, equilibrium
from etracker_shared.agreements.policies import PolicyName

from .measures import Estimate, estimate, fr_over_c_of
from .people import play
from .regimes import MEGABIT, Behaviour, Population

SLOWER = 40
"""How much slower time runs here, in steps of 10 s, than with real clients. Lines are the same, torrents larger."""

RANKED = (PolicyName.RANDOM, PolicyName.RATIO, PolicyName.EQUILIBRIUM)
"""The policies that are measured with real clients and here."""
UPLINK = 2 * MEGABIT
DOWNLINK = 1000 * MEGABIT
TORRENT_BYTES = SLOWER * 32 * 2**20
TAU_SECONDS = SLOWER * 30
INTERVAL_SECONDS = SLOWER * 60
JOIN_SECONDS = SLOWER * 0.2

TIERS = {
    Behaviour.SEED: (4, 4, 4, 3, 2) * 5,
    Behaviour.ALTRUIST: (4, 3, 4, 3),
    Behaviour.FREE_RIDER: (0, 0, 0, 0),
}

SCALED = replace(
    equilibrium.DEFAULTS,
    pace=TORRENT_BYTES / TAU_SECONDS,
    interval_bounds=(5 * SLOWER, 10 * SLOWER),
)
TIMELESS = ("phi", "steps", "seeders", "seeders_share", "leechers", "exact_up_to", "fewest")
"""The parameters that don't scale with time; they should be the same in real and simulated runs."""

KEPT = Path(__file__).with_name("real_numbers.json")
"""Written by ``make equilibrium-real``."""


@dataclass(frozen=True, slots=True)
class Real:
    """The results of real clients. ``fr_over_c``: by policy; ``parameters``: those of ``equilibrium``, as in JSON."""

    fr_over_c: dict[PolicyName, float]
    parameters: dict[str, Any]

    @property
    def differing(self) -> dict[str, tuple[Any, Any]]:
        """The parameters that differ, by name: their values in the real runs and in the simulated ones."""
        simulated = json.loads(json.dumps(asdict(SCALED)))
        pairs = {name: (self.parameters.get(name), simulated[name]) for name in TIMELESS}
        return {name: (real, other) for name, (real, other) in pairs.items() if real != other}


@dataclass(frozen=True, slots=True)
class Ranking:
    """FR/C of each policy of :data:`RANKED`, simulated and, if it was measured, with real clients."""

    simulated: dict[PolicyName, Estimate]
    real: Real | None

    @property
    def agrees(self) -> bool:
        """Whether both rank the policies in the same order."""
        if self.real is None:
            return False
        simulated = {policy: found.value for policy, found in self.simulated.items()}
        return order_of(simulated) == order_of(self.real.fr_over_c)


def order_of(fr_over_c: dict[PolicyName, float]) -> list[PolicyName]:
    """Sort policies by their FR/C, lowest first."""
    return sorted(fr_over_c, key=fr_over_c.__getitem__)


def draw_rehearsal(seed: int) -> Population:
    """Draw the people. All have the same line; they differ only in their past and in whether they stay."""
    rng = np.random.default_rng(seed)
    behaviour = np.concatenate([np.full(len(tiers), kind) for kind, tiers in TIERS.items()]).astype(np.int64)
    people, seeders = len(behaviour), len(TIERS[Behaviour.SEED])
    arrival = np.zeros(people)
    arrival[seeders:] = JOIN_SECONDS * rng.permutation(people - seeders)
    return Population(
        torrent=np.zeros(people, np.int64),
        behaviour=behaviour,
        tier=np.concatenate([np.array(tiers, np.int64) for tiers in TIERS.values()]),
        up=np.full(people, UPLINK, np.int64),
        down=np.full(people, DOWNLINK, np.int64),
        reachable=np.ones(people, np.bool_),
        impatient=np.zeros(people, np.bool_),
        arrival=arrival,
        pair_hash=rng.integers(0, 2**32, people, dtype=np.uint64),
        torrent_bytes=TORRENT_BYTES,
    )


def rehearse(policy_name: PolicyName, seed: int) -> float:
    """Play one run; return its FR/C."""
    population = draw_rehearsal(seed)
    policy = _scaled() if policy_name is PolicyName.EQUILIBRIUM else POLICIES[policy_name]
    return fr_over_c_of(play(population, policy_name, policy, seed, interval_seconds=INTERVAL_SECONDS))


def rank(runs: int, measured: Path) -> Ranking:
    """Simulate runs of every ranked policy and compare them with the results of real clients."""
    simulated = {policy: estimate([rehearse(policy, seed) for seed in range(runs)]) for policy in RANKED}
    return Ranking(simulated, read_real(measured))


def read_real(measured: Path) -> Real | None:
    """Read the median FR/C of real runs: of those last measured here, otherwise of those stored with the sources."""
    for found in (json.loads(path.read_text()) for path in (measured, KEPT) if path.exists()):
        runs: dict[str, list[dict[str, Any]]] = found["runs"]
        if "parameters" in found and set(RANKED) <= set(runs):
            medians = {policy: statistics.median(run["fr_over_c"] for run in runs[policy]) for policy in RANKED}
            return Real(medians, found["parameters"])
    return None


def _scaled() -> Policy:
    return replace(
        POLICIES[PolicyName.EQUILIBRIUM],
        choose=functools.partial(equilibrium.choose, parameters=SCALED),
        interval=functools.partial(equilibrium.interval, parameters=SCALED),
    )
