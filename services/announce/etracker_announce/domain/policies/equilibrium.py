"""Policy ``equilibrium``: who seeds is introduced sooner, by pairs, and nobody is cut off.

Two peers may be introduced if each end that is a leecher accepts the other. A leecher accepts a peer of its own tier
or below at once. Of higher tiers it accepts a share that grows with the time since it joined, and from the start as
many as it is guaranteed. Which ones, a keyed hash of the pair decides: the same whoever of the two asks, whenever,
on every replica. Source: the simulations of ``make equilibrium``.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.policies.random_peers import sample
from etracker_announce.domain.swarm import PeerFlag, Records, Role

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

TIERS = 5
WINDOW = 300
RIVALS = 41
"""How many seeders a seeder's view must hold beside the leechers: it has to know who else a leecher is guaranteed."""

ALL = 1.0
"""A share no hash exceeds."""

_SEEDING = np.uint8(PeerFlag.SEEDER | PeerFlag.PARTIAL_SEED)


@dataclass(frozen=True, slots=True)
class EquilibriumParameters:
    """What an operator can tune.

    ``phi``: the share accepted of peers one tier above; closer to 1 is softer. ``pace`` (bytes a second): the time to
    fetch the torrent at that pace is tau, in which one tier of difference is forgiven; ``tau_bounds`` and, for a
    torrent of unknown size, ``tau_unknown`` in seconds. ``seeders``: how many of ``exact_up_to`` seeders or fewer each
    tier is guaranteed (None: all), and the same share of more; ``seeders_share``: the least share. ``leechers``: how
    many leechers everybody is guaranteed, exactly among up to ``exact_up_to``. ``fewest``: a leecher's shortest list.
    ``interval_bounds``: how often, in seconds, a leecher asks while its list is restricted.

    Raises:
        ValueError: a parameter makes no sense; the message says which, and what would.
    """

    phi: float = 0.3
    pace: float = 4.5e6
    tau_bounds: tuple[float, float] = (120.0, 7200.0)
    tau_unknown: float = 1800.0
    seeders: tuple[int | None, int | None, int | None, int | None, int | None] = (1, 3, 10, 20, None)
    seeders_share: float = 0.03
    leechers: int = 4
    exact_up_to: int = 40
    fewest: int = 2
    interval_bounds: tuple[int, int] = (300, 1800)

    def __post_init__(self) -> None:
        if not 0 < self.phi <= 1:
            raise ValueError("phi must be more than 0 and at most 1")
        if not 0 <= self.seeders_share <= 1:
            raise ValueError("seeders_share must be 0 to 1")
        if not (self.pace > 0 and self.tau_unknown > 0):
            raise ValueError("pace and tau_unknown must be more than 0")
        if not (
            0 < self.tau_bounds[0] <= self.tau_bounds[1] and 0 < self.interval_bounds[0] <= self.interval_bounds[1]
        ):
            raise ValueError("tau_bounds and interval_bounds must be more than 0 and rise")
        if min(self.leechers, self.fewest, *(k for k in self.seeders if k is not None)) < 1:
            raise ValueError("seeders, leechers and fewest must be at least 1, or the swarm falls apart")
        if not 1 <= self.exact_up_to < RIVALS:
            raise ValueError(f"exact_up_to must be 1 to {RIVALS - 1}")


DEFAULTS = EquilibriumParameters()


def tau_of(torrent_length: int | None, parameters: EquilibriumParameters) -> float:
    """Return in how many seconds one tier of difference is forgiven."""
    if torrent_length is None:
        return parameters.tau_unknown
    shortest, longest = parameters.tau_bounds
    return min(max(torrent_length / parameters.pace, shortest), longest)


def interval(question: Question, parameters: EquilibriumParameters = DEFAULTS) -> int | None:
    """Return the announce interval while the asker's list may be restricted, in seconds; None: the usual one."""
    asker = question.asker
    tau = tau_of(question.torrent_length, parameters)
    if asker.role is not Role.LEECHER or question.now - asker.first_seen >= (TIERS - 1 - asker.tier) * tau:
        return None
    shortest, longest = parameters.interval_bounds
    return int(min(max(tau, shortest), longest))


def choose(question: Question, candidates: Records, parameters: EquilibriumParameters = DEFAULTS) -> Records:
    """Choose numwant of the peers the asker may be introduced to.

    For an asker that seeds, seeders among the candidates are its rivals: they are counted, not chosen.
    """
    if question.numwant <= 0 or not len(candidates):
        return candidates[:0]
    swarm = _Swarm(question, candidates, parameters)
    allowed = swarm.allowed_to_leecher() if question.asker.role is Role.LEECHER else swarm.allowed_to_seeder()
    return sample(candidates.take(allowed.nonzero()[0]), question.numwant, question.seed)


def pair_hashes(pair_hash: int, others: npt.NDArray[np.uint64]) -> Floats:
    """Hash each pair to [0, 1), whichever of the two asks."""
    x = others + np.uint64(pair_hash)
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x >>= np.uint64(11)
    return np.asarray(x * 2.0**-53)


def _smallest(hashes: Floats, wanted: int) -> float:
    """The ``wanted``-th smallest hash, which as many peers don't exceed."""
    return ALL if wanted >= len(hashes) else float(np.partition(hashes, wanted - 1)[wanted - 1])


class _Swarm:
    """The candidates as one asker sees them."""

    def __init__(self, question: Question, candidates: Records, parameters: EquilibriumParameters) -> None:
        self._question = question
        self._asker = question.asker
        self._parameters = parameters
        self._tau = tau_of(question.torrent_length, parameters)
        self._first_seen = candidates["first_seen"]
        self._pair_hash = candidates["pair_hash"]
        self._tier = candidates["tier"]
        self._seeding: Flags = candidates["flags"] & _SEEDING != 0
        self._hash = pair_hashes(self._asker.pair_hash, self._pair_hash)

    def allowed_to_leecher(self) -> Flags:
        """Tell whom a leecher may be introduced to: whom it accepts, if that is a leecher both ways, and a few."""
        allowed = self._accepted_by_asker()
        others = (allowed & ~self._seeding & (self._tier < self._asker.tier)).nonzero()[0]
        doubtful = others[self._hash[others] > self._shares_at(others)]
        if len(doubtful):
            allowed[doubtful] = self._guaranteed_as_leecher_at(doubtful)
        fewest = min(self._parameters.fewest, self._question.numwant, len(allowed))
        if np.count_nonzero(allowed) < fewest:
            self._fill(allowed, fewest)
        return allowed

    def allowed_to_seeder(self) -> Flags:
        """Tell whom a seeder may be introduced to: leechers that accept it."""
        leechers = (~self._seeding).nonzero()[0]
        accepted = self._hash[leechers] <= self._shares_at(leechers)
        doubtful = leechers[~accepted]
        allowed = np.zeros(len(self._hash), np.bool_)
        allowed[leechers[accepted]] = True
        if len(doubtful):
            allowed[doubtful] = self._guaranteed_as_seeder_at(doubtful)
        return allowed

    def _accepted_by_asker(self) -> Flags:
        forgiven = (self._question.now - self._asker.first_seen) / self._tau
        gaps = [max(0.0, tier - self._asker.tier - forgiven) for tier in range(TIERS)]
        if gaps[-1] == 0.0:
            return np.ones(len(self._hash), np.bool_)
        shares = np.array([self._parameters.phi**gap for gap in gaps])
        seeders, leechers = self._hash[self._seeding], self._hash[~self._seeding]
        if len(seeders) > self._parameters.exact_up_to:
            of_seeders = self._share_of_seeders(self._asker.tier)
        else:
            of_seeders = _smallest(seeders, self._seeders_guaranteed(self._asker.tier, len(seeders)))
        if len(leechers) > self._parameters.exact_up_to:
            of_leechers = self._parameters.leechers / len(leechers)
        else:
            of_leechers = _smallest(leechers, self._parameters.leechers)
        thresholds = np.concatenate((np.maximum(shares, of_leechers), np.maximum(shares, of_seeders)))
        return np.asarray(self._hash <= thresholds.take(self._tier + np.uint8(TIERS) * self._seeding))

    def _seeders_guaranteed(self, tier: int, seeders: int) -> int:
        wanted = self._parameters.seeders[tier]
        return seeders if wanted is None else max(wanted, math.ceil(self._parameters.seeders_share * seeders))

    def _share_of_seeders(self, tier: int) -> float:
        """The guarantee among many. It doesn't depend on how many, which a seeder doesn't know."""
        wanted = self._parameters.seeders[tier]
        return ALL if wanted is None else max(self._parameters.seeders_share, wanted / self._parameters.exact_up_to)

    def _shares_at(self, leechers: Places) -> Floats:
        """The share of peers of the asker's tier that each of some leechers accepts by now."""
        gaps = (self._first_seen.take(leechers) - float(self._question.now)) / self._tau
        gaps += float(self._asker.tier)
        gaps -= self._tier.take(leechers)
        np.maximum(gaps, 0.0, out=gaps)
        gaps *= math.log2(self._parameters.phi)
        return np.exp2(gaps, out=gaps)

    def _guaranteed_as_leecher_at(self, leechers: Places) -> Flags:
        """Tell which leechers accept the asker because few leechers are closer to them.

        Each has as many other leechers as the asker has: the asker in place of itself.
        """
        count = int(np.count_nonzero(~self._seeding))
        if count > self._parameters.exact_up_to:
            return self._hash[leechers] <= self._parameters.leechers / count
        return self._closer(leechers, self._pair_hash[~self._seeding]) < self._parameters.leechers

    def _guaranteed_as_seeder_at(self, leechers: Places) -> Flags:
        """Tell which leechers accept the asker because few seeders are closer to them."""
        rivals = self._pair_hash[self._seeding]
        seeders = len(rivals) + 1
        tiers = self._tier.take(leechers)
        if seeders > self._parameters.exact_up_to:
            shares = np.array([self._share_of_seeders(tier) for tier in range(TIERS)])
            return np.asarray(self._hash[leechers] <= shares.take(tiers))
        wanted = np.array([self._seeders_guaranteed(tier, seeders) for tier in range(TIERS)])
        return self._closer(leechers, rivals) < wanted.take(tiers)

    def _closer(self, to: Places, peers: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
        """Count the peers closer to each of some candidates than the asker is."""
        ends = self._pair_hash.take(to)[:, np.newaxis]
        closer = pair_hashes(0, ends + peers) < self._hash.take(to)[:, np.newaxis]
        closer &= ends != peers  # nobody is a pair with itself
        return np.asarray(np.count_nonzero(closer, axis=1))

    def _fill(self, allowed: Flags, fewest: int) -> None:
        """Lengthen a list that is too short by those of the lowest tiers, and of a tier by the closest."""
        rest = (~allowed).nonzero()[0]
        order = np.lexsort((self._hash[rest], self._tier[rest]))
        allowed[rest[order[: fewest - int(np.count_nonzero(allowed))]]] = True
