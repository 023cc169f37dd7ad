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

from etracker_announce.domain.policies.pair_hashes import Floats, Numbers, mixed, pair_hash_of, pair_hashes
from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.policies.random_peers import Places, sample, sample_at
from etracker_announce.domain.swarm import PeerFlag, Records, Role

Flags = npt.NDArray[np.bool_]

TIERS = 5
WINDOW = 300
RIVALS = 41
"""Up to how many seeders a seeder has to know who else a leecher is guaranteed; of more it knows only the number."""

FEW = 28
"""Up to how many candidates are looked at one by one, which then takes less time than numpy does."""

ALL = 1.0
"""A share no hash exceeds."""

# Arrays without a dimension, made once: any other kind of number costs each operation half as much again.
_SEEDING = np.array(PeerFlag.SEEDER | PeerFlag.PARTIAL_SEED, np.uint8)
_NONE, _TIERS = np.array(0, np.uint8), np.array(TIERS, np.uint8)


@dataclass(frozen=True, slots=True)
class EquilibriumParameters:
    """What an operator can tune.

    ``phi``: the share accepted of peers one tier above; closer to 1 is softer. ``pace`` (bytes a second): the time to
    fetch the torrent at that pace is tau, in which one tier of difference is forgiven; ``tau_bounds`` and, for a
    torrent of unknown size, ``tau_unknown`` in seconds. ``seeders``: how many seeders each tier is guaranteed (None:
    all), or ``seeders_share`` of them if that is more; of more than ``exact_up_to``, as many as of those.
    ``leechers``: how many leechers everybody is guaranteed, exactly among up to ``exact_up_to``. ``fewest``: a
    leecher's shortest list. ``interval_bounds``: how often, in seconds, a leecher asks while its list is restricted.

    Raises:
        ValueError: a parameter makes no sense; the message says which, and what would.
    """

    phi: float = 0.1
    pace: float = 4.75e6
    tau_bounds: tuple[float, float] = (120.0, 7200.0)
    tau_unknown: float = 1800.0
    seeders: tuple[int | None, int | None, int | None, int | None, int | None] = (1, 3, 10, 20, None)
    seeders_share: float = 0.08
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
    if len(candidates) <= FEW:
        places = _Few(question, candidates, parameters).allowed()
        return sample(candidates.take(places), question.numwant, question.seed)
    swarm = _Swarm(question, candidates, parameters)
    allowed = swarm.allowed_to_leecher() if question.asker.role is Role.LEECHER else swarm.allowed_to_seeder()
    return sample_at(candidates, allowed.nonzero()[0], question.numwant, question.seed)


def _smallest(hashes: Floats, wanted: int) -> float:
    """The ``wanted``-th smallest of a few hashes, which as many peers don't exceed."""
    return ALL if wanted >= len(hashes) else float(sorted(hashes.tolist())[wanted - 1])


def _seeders_guaranteed(parameters: EquilibriumParameters, tier: int, seeders: int) -> int:
    wanted = parameters.seeders[tier]
    return seeders if wanted is None else max(wanted, math.ceil(parameters.seeders_share * seeders))


def _share_of_seeders(parameters: EquilibriumParameters, tier: int, seeders: int) -> float:
    """The guarantee among many: a share that shows as many of them as of the most that are told apart."""
    if parameters.seeders[tier] is None:
        return ALL
    return _seeders_guaranteed(parameters, tier, parameters.exact_up_to) / seeders


class _Swarm:
    """The candidates as one asker sees them.

    A numpy operation on a few numbers costs a microsecond whatever it does, and an announce has time for some thirty:
    hence what is left out where it changes nothing.
    """

    def __init__(self, question: Question, candidates: Records, parameters: EquilibriumParameters) -> None:
        self._question = question
        self._asker = question.asker
        self._parameters = parameters
        self._tau = tau_of(question.torrent_length, parameters)
        self._first_seen = candidates["first_seen"]
        self._pair_hash = candidates["pair_hash"]
        self._tier = candidates["tier"]
        self._leeching: Flags = (candidates["flags"] & _SEEDING) == _NONE
        self._leechers = int(np.count_nonzero(self._leeching))
        self._seeders = len(candidates) - self._leechers

    def allowed_to_leecher(self) -> Flags:
        """Tell whom a leecher may be introduced to: whom it accepts, if that is a leecher both ways, and a few."""
        hashes = pair_hashes(self._asker.pair_hash, self._pair_hash)
        allowed = self._accepted_by_asker(hashes)
        if self._asker.tier and self._leechers:
            others = (allowed & self._leeching & (self._tier < self._asker.tier)).nonzero()[0]
            if len(others):
                allowed[others] = self._accept_leecher(others, hashes.take(others))
        fewest = min(self._parameters.fewest, self._question.numwant, len(allowed))
        if np.count_nonzero(allowed) < fewest:
            self._fill(allowed, fewest, hashes)
        return allowed

    def allowed_to_seeder(self) -> Flags:
        """Tell whom a seeder may be introduced to: leechers that accept it."""
        allowed = self._leeching
        if self._asker.tier and self._leechers:
            others = (allowed & (self._tier < self._asker.tier)).nonzero()[0]
            if len(others):
                hashes = pair_hashes(self._asker.pair_hash, self._pair_hash.take(others))
                allowed[others] = self._accept_seeder(others, hashes)
        return allowed

    def _accepted_by_asker(self, hashes: Floats) -> Flags:
        forgiven = self._asker.tier + (self._question.now - self._asker.first_seen) / self._tau
        if forgiven >= TIERS - 1:
            return np.ones(len(hashes), np.bool_)
        shares = [self._parameters.phi ** max(0.0, tier - forgiven) for tier in range(TIERS)]
        of_seeders, of_leechers = self._guarantee_of_seeders(hashes), self._guarantee_of_leechers(hashes)
        thresholds = [max(share, of_seeders) for share in shares] + [max(share, of_leechers) for share in shares]
        places = self._leeching * _TIERS
        places += self._tier
        return np.asarray(hashes <= np.array(thresholds).take(places))

    def _guarantee_of_seeders(self, hashes: Floats) -> float:
        """The hash up to which the asker accepts seeders of any tier."""
        seeders = max(self._seeders, self._question.seeders)
        if seeders > self._parameters.exact_up_to:
            return _share_of_seeders(self._parameters, self._asker.tier, seeders)
        wanted = _seeders_guaranteed(self._parameters, self._asker.tier, self._seeders)
        return ALL if wanted >= self._seeders else _smallest(hashes[~self._leeching], wanted)

    def _guarantee_of_leechers(self, hashes: Floats) -> float:
        """The hash up to which the asker accepts leechers of any tier."""
        wanted = self._parameters.leechers
        if self._leechers > self._parameters.exact_up_to:
            return wanted / self._leechers
        return ALL if wanted >= self._leechers else _smallest(hashes[self._leeching], wanted)

    def _accept_leecher(self, leechers: Places, hashes: Floats) -> Flags:
        """Tell which leechers of lower tiers accept the asker, a leecher, at these hashes of the pairs.

        Each has as many other leechers as the asker has: the asker in place of itself.
        """
        accept = hashes <= self._shares_at(leechers)
        wanted = self._parameters.leechers
        if self._leechers > self._parameters.exact_up_to:
            return accept | (hashes <= wanted / self._leechers)
        if self._leechers <= wanted:
            return np.ones(len(leechers), np.bool_)
        doubtful = (~accept).nonzero()[0]
        if len(doubtful):
            closer = self._closer(leechers.take(doubtful), hashes.take(doubtful), self._pair_hash[self._leeching])
            accept[doubtful] = closer < wanted
        return accept

    def _accept_seeder(self, leechers: Places, hashes: Floats) -> Flags:
        """Tell which leechers of lower tiers accept the asker, a seeder, at these hashes of the pairs."""
        accept = hashes <= self._shares_at(leechers)
        doubtful = (~accept).nonzero()[0]
        if len(doubtful):
            accept[doubtful] = self._guarantee_seeder(leechers.take(doubtful), hashes.take(doubtful))
        return accept

    def _guarantee_seeder(self, leechers: Places, hashes: Floats) -> Flags:
        """Tell which leechers accept the asker because few seeders are closer to them."""
        seeders = self._question.seeders if self._question.seeders > RIVALS else self._seeders + 1
        tiers = self._tier.take(leechers)
        if seeders > self._parameters.exact_up_to:
            shares = np.array([_share_of_seeders(self._parameters, tier, seeders) for tier in range(TIERS)])
            return np.asarray(hashes <= shares.take(tiers))
        wanted = np.array([_seeders_guaranteed(self._parameters, tier, seeders) for tier in range(TIERS)])
        return self._closer(leechers, hashes, self._pair_hash[~self._leeching]) < wanted.take(tiers)

    def _shares_at(self, leechers: Places) -> Floats:
        """The share of peers of the asker's tier that each of some leechers of lower tiers accepts by now."""
        octaves_a_tier = math.log2(self._parameters.phi)
        exponents = self._first_seen.take(leechers) * (octaves_a_tier / self._tau)
        exponents -= self._tier.take(leechers) * octaves_a_tier
        exponents += (self._asker.tier - self._question.now / self._tau) * octaves_a_tier
        np.minimum(exponents, 0.0, out=exponents)
        return np.exp2(exponents, out=exponents)

    def _closer(self, to: Places, hashes: Floats, peers: Numbers) -> Places:
        """Count the peers closer to each of some candidates than the asker is."""
        ends = self._pair_hash.take(to)[:, np.newaxis]
        closer = mixed(ends + peers) < hashes[:, np.newaxis]
        closer &= ends != peers  # nobody is a pair with itself
        return np.asarray(np.add.reduce(closer, axis=1, dtype=np.intp))

    def _fill(self, allowed: Flags, fewest: int, hashes: Floats) -> None:
        """Lengthen a list that is too short by those of the lowest tiers, and of a tier by the closest."""
        rest = (~allowed).nonzero()[0]
        order = np.lexsort((hashes[rest], self._tier[rest]))
        allowed[rest[order[: fewest - int(np.count_nonzero(allowed))]]] = True


class _Few:
    """A few candidates as one asker sees them: the same as :class:`_Swarm`, which a test holds it to."""

    def __init__(self, question: Question, candidates: Records, parameters: EquilibriumParameters) -> None:
        self._question = question
        self._asker = question.asker
        self._parameters = parameters
        self._tau = tau_of(question.torrent_length, parameters)
        self._tiers = candidates["tier"].tolist()
        self._numbers = candidates["pair_hash"]
        self._pair_hashes = self._numbers.tolist()
        self._first_seen = candidates["first_seen"].tolist()
        flags = (candidates["flags"] & _SEEDING).tolist()
        self._seeders = [place for place, seeding in enumerate(flags) if seeding]
        self._leechers = [place for place, seeding in enumerate(flags) if not seeding]

    def allowed(self) -> list[int]:
        """Return the places of whom the asker may be introduced to."""
        if self._asker.role is Role.LEECHER:
            return self._allowed_to_leecher()
        return [place for place in self._leechers if self._accepts_seeder(place)]

    def _allowed_to_leecher(self) -> list[int]:
        hashes = pair_hashes(self._asker.pair_hash, self._numbers).tolist()
        allowed = list(self._accepted_by_asker(self._seeders, hashes, seeders=True))
        allowed += [
            place
            for place in self._accepted_by_asker(self._leechers, hashes, seeders=False)
            if self._accepts_leecher(place, hashes[place])
        ]
        fewest = min(self._parameters.fewest, self._question.numwant, len(hashes))
        if len(allowed) < fewest:
            rest = sorted(set(range(len(hashes))) - set(allowed), key=lambda place: (self._tiers[place], hashes[place]))
            allowed += rest[: fewest - len(allowed)]
        return allowed

    def _accepted_by_asker(self, places: list[int], hashes: list[float], *, seeders: bool) -> list[int]:
        forgiven = self._asker.tier + (self._question.now - self._asker.first_seen) / self._tau
        guarantee = self._guarantee(len(places), sorted([hashes[place] for place in places]), seeders=seeders)
        if forgiven >= TIERS - 1 or guarantee >= ALL:
            return places
        thresholds = [max(guarantee, self._parameters.phi ** max(0.0, tier - forgiven)) for tier in range(TIERS)]
        return [place for place in places if hashes[place] <= thresholds[self._tiers[place]]]

    def _guarantee(self, count: int, rising: list[float], *, seeders: bool) -> float:
        """The hash up to which the asker accepts peers of any tier, of one kind."""
        parameters = self._parameters
        among = max(count, self._question.seeders) if seeders else count
        if among > parameters.exact_up_to:
            return _share_of_seeders(parameters, self._asker.tier, among) if seeders else parameters.leechers / among
        wanted = _seeders_guaranteed(parameters, self._asker.tier, count) if seeders else parameters.leechers
        return ALL if wanted >= count else rising[wanted - 1]

    def _share_at(self, leecher: int) -> float:
        gap = self._asker.tier - self._tiers[leecher] - (self._question.now - self._first_seen[leecher]) / self._tau
        return float(self._parameters.phi ** max(0.0, gap))

    def _accepts_leecher(self, leecher: int, hashed: float) -> bool:
        if self._tiers[leecher] >= self._asker.tier or hashed <= self._share_at(leecher):
            return True
        wanted, count = self._parameters.leechers, len(self._leechers)
        if count > self._parameters.exact_up_to:
            return hashed <= wanted / count
        return count <= wanted or self._is_close(leecher, hashed, self._leechers, wanted)

    def _accepts_seeder(self, leecher: int) -> bool:
        tier = self._tiers[leecher]
        if tier >= self._asker.tier:
            return True
        hashed = pair_hash_of(self._asker.pair_hash + self._pair_hashes[leecher])
        if hashed <= self._share_at(leecher):
            return True
        seeders = self._question.seeders if self._question.seeders > RIVALS else len(self._seeders) + 1
        if seeders > self._parameters.exact_up_to:
            return hashed <= _share_of_seeders(self._parameters, tier, seeders)
        wanted = _seeders_guaranteed(self._parameters, tier, seeders)
        return wanted >= seeders or self._is_close(leecher, hashed, self._seeders, wanted)

    def _is_close(self, leecher: int, hashed: float, peers: list[int], wanted: int) -> bool:
        """Tell whether fewer peers than wanted are closer to a leecher than the asker is."""
        own, closer = self._pair_hashes[leecher], 0
        for place in peers:
            other = self._pair_hashes[place]
            if other != own and pair_hash_of(own + other) < hashed:
                closer += 1
                if closer == wanted:
                    return False
        return True
