"""What list policies know of the people of a regime, whose tiers are given and whose pasts aren't."""

import statistics

import numpy as np
import numpy.typing as npt

from etracker_scoring.domain.policies import History, withheld_share

from .regimes import Behaviour, Population

GIGABYTE = 10**9

SEEDERS_PASTS = {
    2: History(seeding=10, snatched=20, uploaded=100 * GIGABYTE, downloaded=100 * GIGABYTE),
    3: History(seeding=20, snatched=25, uploaded=200 * GIGABYTE, downloaded=125 * GIGABYTE),
    4: History(seeding=40, snatched=40, uploaded=600 * GIGABYTE, downloaded=200 * GIGABYTE),
}
"""By tier, of seeders, altruists and the ratio-conscious."""

PASTS = {
    Behaviour.NEWCOMER: History(seeding=0, snatched=0, uploaded=0, downloaded=0),
    Behaviour.HIT_AND_RUN: History(seeding=0, snatched=20, uploaded=60 * GIGABYTE, downloaded=100 * GIGABYTE),
    Behaviour.FREE_RIDER: History(seeding=0, snatched=20, uploaded=10 * GIGABYTE, downloaded=100 * GIGABYTE),
    Behaviour.WHITEWASHER: History(seeding=0, snatched=0, uploaded=0, downloaded=0),
}


def shares_of(policy: str, population: Population) -> npt.NDArray[np.float64]:
    """Return what scoring grants everybody under a list policy, in the policy's own unit."""
    pasts = [
        PASTS.get(Behaviour(kind)) or SEEDERS_PASTS[tier]
        for kind, tier in zip(population.behaviour.tolist(), population.tier.tolist(), strict=True)
    ]
    if policy == "ratio":
        return np.array([withheld_share(past) for past in pasts])
    if policy == "announces":
        return np.array([float(past.snatched + 1) for past in pasts])
    if policy == "seeds":
        return np.array([float(past.seeding) for past in pasts])
    if policy == "good_seeds":
        seeding = [past.seeding for past in pasts]
        good = statistics.mean(seeding) + statistics.pstdev(seeding)
        return np.array([past.seeding * (1 + (past.uploaded >= past.downloaded)) / good for past in pasts])
    return np.zeros(len(pasts))
