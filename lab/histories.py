"""Makes up histories for list policies, since the people of a regime are only described by their tiers."""

import statistics

import numpy as np
import numpy.typing as npt

from etracker_scoring.scores.list_policies import History, good_seeding_of, share_of
from etracker_shared.agreements.policies import PolicyName

from .regimes import Behaviour, Population

GIGABYTE = 10**9


def _past(seeding: int, snatched: int, gigabytes_up: int, gigabytes_down: int) -> History:
    """All torrents of a user have the same ratio, so all or none were given back. ``announced`` includes the run's."""
    generous = float(gigabytes_up >= gigabytes_down)
    uploaded, downloaded = gigabytes_up * GIGABYTE, gigabytes_down * GIGABYTE
    return History(seeding, snatched, uploaded, downloaded, announced=snatched + 1, generous=generous)


SEEDERS_PASTS = {
    2: _past(10, 20, 100, 100),
    3: _past(20, 25, 200, 125),
    4: _past(40, 40, 600, 200),
}
"""By tier, for seeders, altruists and the ratio-conscious."""

PASTS = {
    Behaviour.NEWCOMER: _past(0, 0, 0, 0),
    Behaviour.HIT_AND_RUN: _past(0, 20, 60, 100),
    Behaviour.FREE_RIDER: _past(0, 20, 10, 100),
    Behaviour.WHITEWASHER: _past(0, 0, 0, 0),
}


def shares_of(policy: PolicyName, population: Population) -> npt.NDArray[np.float64]:
    """Return what scoring grants everybody under a list policy, in the policy's own unit."""
    pasts = [
        PASTS.get(Behaviour(kind)) or SEEDERS_PASTS[tier]
        for kind, tier in zip(population.behaviour.tolist(), population.tier.tolist(), strict=True)
    ]
    seeding = [past.seeding for past in pasts]
    good = good_seeding_of(statistics.mean(seeding), statistics.pstdev(seeding))
    return np.array([share_of(policy, past, good) for past in pasts])
