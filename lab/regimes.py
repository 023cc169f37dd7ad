"""The reference regimes: which people join which swarm, when, and with which lines and habits."""

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MEGABIT = 125_000
"""Bytes per second."""

HOUR = 3600
GIGABYTE = 10**9

UPLINKS = (1, 5, 10, 20, 100, 500)
DOWNLINKS = (16, 50, 100, 100, 100, 500)
"""Mbit/s."""

LINE_SHARES = (0.15, 0.27, 0.32, 0.17, 0.08, 0.01)
UNREACHABLE_SHARE = 0.25
IMPATIENT_SHARE = 0.5
FREE_RIDER_UPLINK = 0.1


class Behaviour(enum.IntEnum):
    """What a person does with a finished download, and how much they upload before it finishes."""

    SEED = 0
    """A persistent seeder."""
    ALTRUIST = 1
    """Keeps seeding."""
    RATIO_CONSCIOUS = 2
    """Seeds until as much is uploaded as was downloaded."""
    NEWCOMER = 3
    """Like ``RATIO_CONSCIOUS``, but with the newcomer's grace."""
    HIT_AND_RUN = 4
    """Uploads while leeching, then leaves."""
    FREE_RIDER = 5
    """Uploads at a tenth of its uplink, then leaves."""
    WHITEWASHER = 6
    """A free-rider with a new key."""


CONTRIBUTORS = (Behaviour.ALTRUIST, Behaviour.RATIO_CONSCIOUS)
LEAVERS = (Behaviour.HIT_AND_RUN, Behaviour.FREE_RIDER, Behaviour.WHITEWASHER)

BEHAVIOUR_SHARES = {
    Behaviour.ALTRUIST: 0.20,
    Behaviour.RATIO_CONSCIOUS: 0.30,
    Behaviour.NEWCOMER: 0.10,
    Behaviour.HIT_AND_RUN: 0.20,
    Behaviour.FREE_RIDER: 0.12,
    Behaviour.WHITEWASHER: 0.08,
}

TIER_SHARES = {
    Behaviour.SEED: {4: 0.6, 3: 0.2, 2: 0.2},
    Behaviour.ALTRUIST: {4: 0.5, 3: 0.5},
    Behaviour.RATIO_CONSCIOUS: {3: 0.5, 2: 0.5},
    Behaviour.NEWCOMER: {2: 1.0},
    Behaviour.HIT_AND_RUN: {0: 1.0},
    Behaviour.FREE_RIDER: {0: 1.0},
    Behaviour.WHITEWASHER: {1: 1.0},
}


@dataclass(frozen=True, slots=True)
class Regime:
    """One kind of swarm. ``seeders`` and ``leechers``: per swarm; ``seeder_uplink``: Mbit/s, None for any line."""

    name: str
    swarms: int
    seeders: int
    leechers: int
    arrival_seconds: float
    torrent_bytes: int
    seeder_uplink: int | None = None


REGIMES = {
    regime.name: regime
    for regime in (
        Regime("tiny", 24, 3, 6, 2 * HOUR, 3 * GIGABYTE),
        Regime("rich", 1, 40, 90, 3 * HOUR, 6 * GIGABYTE),
        Regime("poor", 1, 6, 120, 1.5 * HOUR, 6 * GIGABYTE, seeder_uplink=10),
        Regime("flash", 1, 4, 400, 40 * 60, 4 * GIGABYTE),
    )
}


@dataclass(frozen=True, slots=True)
class Population:
    """The people of a run, one entry per user, each in one torrent. Lines in bytes per second, arrivals in seconds."""

    torrent: npt.NDArray[np.int64]
    behaviour: npt.NDArray[np.int64]
    tier: npt.NDArray[np.int64]
    up: npt.NDArray[np.int64]
    down: npt.NDArray[np.int64]
    reachable: npt.NDArray[np.bool_]
    impatient: npt.NDArray[np.bool_]
    arrival: npt.NDArray[np.float64]
    pair_hash: npt.NDArray[np.uint64]
    torrent_bytes: int


LARGE = Regime("large", 1, 50, 5000, 1 * HOUR, 6 * GIGABYTE)
"""For the attacks: a swarm too large for the tracker's windows to show completely."""


def draw_population(regime: Regime, seed: int) -> Population:
    """Draw the people of a run: the same for every policy."""
    rng = np.random.default_rng(seed)
    seeders, leechers = regime.swarms * regime.seeders, regime.swarms * regime.leechers
    people = seeders + leechers
    behaviour = np.concatenate([np.full(seeders, Behaviour.SEED), _by_shares(rng, leechers, BEHAVIOUR_SHARES)]).astype(
        np.int64
    )
    line = _lines(rng, behaviour)
    up = np.array(UPLINKS)[line] * MEGABIT
    if regime.seeder_uplink is not None:
        up[:seeders] = regime.seeder_uplink * MEGABIT
    stingy = np.isin(behaviour, (Behaviour.FREE_RIDER, Behaviour.WHITEWASHER))
    reachable = rng.random(people) >= UNREACHABLE_SHARE
    # If no seeder accepts connections, people are stranded under any policy: that shows nothing about policies.
    reachable[: regime.swarms] = True
    arrival = np.concatenate([np.zeros(seeders), rng.uniform(0, regime.arrival_seconds, leechers)])
    return Population(
        torrent=np.concatenate([np.arange(seeders), np.arange(leechers)]) % regime.swarms,
        behaviour=behaviour,
        tier=_tiers(rng, behaviour),
        up=np.where(stingy, up * FREE_RIDER_UPLINK, up).astype(np.int64),
        down=(np.array(DOWNLINKS)[line] * MEGABIT).astype(np.int64),
        reachable=reachable,
        impatient=rng.random(people) < IMPATIENT_SHARE,
        arrival=arrival,
        pair_hash=rng.integers(0, 2**32, people, dtype=np.uint64),
        torrent_bytes=regime.torrent_bytes,
    )


def spread_over(rng: np.random.Generator, count: int, shares: tuple[float, ...]) -> npt.NDArray[np.int64]:
    """Assign ``count`` people to kinds, as close to the kinds' shares as possible, in random order."""
    edges = np.cumsum(shares) / sum(shares)
    points = (np.arange(count) + rng.random()) / max(1, count)
    return rng.permutation(np.minimum(np.searchsorted(edges, points, side="right"), len(shares) - 1))


def _by_shares(rng: np.random.Generator, count: int, shares: dict[Behaviour, float]) -> npt.NDArray[np.int64]:
    kinds = np.array([int(kind) for kind in shares])
    return np.asarray(kinds[spread_over(rng, count, tuple(shares.values()))])


def _lines(rng: np.random.Generator, behaviour: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    # Assigned within each behaviour, so that chance doesn't give one of them better lines.
    lines = np.zeros(len(behaviour), np.int64)
    for kind in Behaviour:
        who = np.flatnonzero(behaviour == kind)
        lines[who] = spread_over(rng, len(who), LINE_SHARES)
    return lines


def _tiers(rng: np.random.Generator, behaviour: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    tiers = np.zeros(len(behaviour), np.int64)
    for kind, shares in TIER_SHARES.items():
        who = np.flatnonzero(behaviour == kind)
        tiers[who] = np.array(list(shares))[spread_over(rng, len(who), tuple(shares.values()))]
    return tiers
