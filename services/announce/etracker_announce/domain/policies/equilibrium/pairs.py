"""The rules of policy ``equilibrium`` for all pairs of several askers and their candidates, at once.

A numpy operation takes most of a microsecond even for a few numbers. Shared by all announces of a batch, it costs each
of them little. So one array has the candidates of all askers, one asker after the other, and tables have what is known
about each asker, and about its candidates of each kind.
"""

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etracker_announce.domain.policies.equilibrium.kinds import KIND_OF, KINDS, READ, ages_of
from etracker_announce.domain.policies.equilibrium.parameters import (
    TIERS,
    EquilibriumParameters,
    heights_of,
    tau_of,
)
from etracker_announce.domain.policies.equilibrium.terms import LEECHER, Terms, terms_of
from etracker_announce.domain.policies.pair_hashes import Floats, Numbers, mixed
from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.policies.random_peers import Places, lots_of, seed_of_lots, smallest
from etracker_announce.domain.swarm import RECORD, Records

Flags = npt.NDArray[np.bool_]

_OPAQUE = np.dtype((np.void, RECORD.itemsize))  # numpy copies these without looking at their fields


class _Sight(NamedTuple):
    """One asker's candidates, see :class:`~etracker_announce.domain.policies.equilibrium.terms.Sight`."""

    seeders: int
    leechers: int
    hashes: Floats
    leeching: Flags

    def smallest(self, rank: int, *, leeching: bool) -> float:
        """Return a hash."""
        hashes = self.hashes[self.leeching if leeching else ~self.leeching].tolist()
        return float(sorted(hashes)[rank - 1])


class Pairs:
    """Askers with their candidates.

    A place is the index of a candidate in the array of all of them. A cell is one kind of candidate of one asker: the
    tier, plus five if it leeches.
    """

    def __init__(
        self, questions: Sequence[Question], candidates: Sequence[Records], parameters: EquilibriumParameters
    ) -> None:
        self._questions = questions
        self._parameters = parameters
        self._sizes = [len(records) for records in candidates]
        self._starts = list(accumulate(self._sizes, initial=0))
        self._records = _joined(candidates)
        read = self._records.view(READ)
        self._pair_hash, self._read = read["pair_hash"].astype(np.uint64), read
        self._asker = np.repeat(np.arange(len(questions)), self._sizes)
        kind = KIND_OF.take(read["tier_and_flags"])
        self._cell = self._asker * KINDS + kind
        self._leeching: Flags = kind >= TIERS
        askers = np.array([question.asker.pair_hash for question in questions], np.uint64)
        self._hash = mixed(askers.take(self._asker) + self._pair_hash)
        self._terms = self._make_terms()

    def choose(self) -> list[Records]:
        """Choose numwant of the peers each asker may be introduced to."""
        places = self._allowed().nonzero()[0]
        bounds = places.searchsorted(self._starts).tolist()
        lots = self._lots(places, bounds)
        chosen = []
        for asker, question in enumerate(self._questions):
            first, end = bounds[asker], bounds[asker + 1]
            own = places[first:end]
            if end - first > question.numwant:
                own = own.take(smallest(lots[first:end], question.numwant))
            elif question.asker.role == LEECHER:
                fewest = min(self._parameters.fewest, question.numwant, self._sizes[asker])
                if end - first < fewest:
                    own = self._filled(own, self._starts[asker], self._starts[asker + 1], fewest)
            chosen.append(own)
        return self._taken(chosen)

    def _make_terms(self) -> list[Terms]:
        counts = np.bincount(self._cell, minlength=KINDS * len(self._questions)).tolist()
        terms = []
        for asker, question in enumerate(self._questions):
            own = slice(self._starts[asker], self._starts[asker + 1])
            seeders = sum(counts[asker * KINDS : asker * KINDS + TIERS])
            sight = _Sight(seeders, self._sizes[asker] - seeders, self._hash[own], self._leeching[own])
            terms.append(terms_of(question, sight, self._parameters))
        return terms

    def _allowed(self) -> Flags:
        """Return, for each place, whether the two peers accept each other. Peers that don't leech accept everybody."""
        accepted = np.array([terms.accepted for terms in self._terms])
        accepting = np.array([terms.accepting for terms in self._terms])
        allowed: Flags = self._hash <= accepted.take(self._cell)
        doubtful = (allowed & (self._hash > accepting.take(self._cell))).nonzero()[0]
        if len(doubtful):
            doubtful = doubtful[self._hash.take(doubtful) > self._shares_at(doubtful)]
            allowed[doubtful] = self._guarantee(doubtful)
        return allowed

    def _shares_at(self, places: Places) -> Floats:
        """Return, for each leecher of a lower tier, the share of the asker's tier that it accepts by now."""
        parameters, askers = self._parameters, self._asker.take(places)
        heights = heights_of(parameters.steps)
        own = np.array([heights[question.asker.tier] for question in self._questions])
        taus = np.array(
            [tau_of(question.torrent_length, parameters, question.leechers) for question in self._questions]
        )
        gaps: Floats = (own[:, np.newaxis] - np.array(heights + heights)).take(self._cell.take(places))
        gaps -= ages_of(self._read.take(places)) / taus.take(askers)
        np.maximum(gaps, 0.0, out=gaps)
        return np.exp2(gaps * math.log2(parameters.phi))

    def _guarantee(self, places: Places) -> Flags:
        """Return which of these leechers accept the asker because few of its rivals are closer to them."""
        closest = np.array([terms.closest for terms in self._terms]).take(self._cell.take(places))
        accept: Flags = closest > 0
        exact = accept.nonzero()[0]
        if len(exact):
            accept[exact] = self._closer_rivals(places.take(exact)) < closest.take(exact)
        return accept

    def _closer_rivals(self, places: Places) -> Places:
        """Count, for each candidate, the rivals of its asker that are closer to it than the asker is."""
        leeching = np.array([question.asker.role == LEECHER for question in self._questions])
        rivals = (self._leeching == leeching.take(self._asker)).nonzero()[0]
        counts = [terms.rivals for terms in self._terms]
        firsts = list(accumulate(counts[:-1], initial=0))

        askers = self._asker.take(places)
        lengths = np.array(counts).take(askers)
        ends = np.cumsum(lengths)
        begins = ends - lengths
        at = np.arange(ends[-1]) + np.repeat(np.array(firsts).take(askers) - begins, lengths)
        one, other = np.repeat(self._pair_hash.take(places), lengths), self._pair_hash.take(rivals).take(at)
        closer = mixed(one + other) < np.repeat(self._hash.take(places), lengths)
        closer &= one != other  # a peer is no pair with itself
        return np.asarray(np.add.reduceat(closer, begins, dtype=np.intp))

    def _filled(self, allowed: Places, first: int, end: int, fewest: int) -> Places:
        """Fill a short list up with candidates of the lowest tiers first and, within a tier, the closest first."""
        rest = np.setdiff1d(np.arange(first, end), allowed, assume_unique=True)
        order = np.lexsort((self._hash.take(rest), self._cell.take(rest) % TIERS))
        return np.concatenate([allowed, rest.take(order[: fewest - len(allowed)])])

    def _lots(self, places: Places, bounds: Sequence[int]) -> Numbers:
        """Draw a lot for each place, if any list is too long. ``bounds`` separate the places of different askers."""
        if all(bounds[at + 1] - bounds[at] <= question.numwant for at, question in enumerate(self._questions)):
            return self._pair_hash[:0]
        seeds = np.array([seed_of_lots(question.seed) for question in self._questions], np.uint64)
        return lots_of(self._pair_hash.take(places), seeds.take(self._asker.take(places)))

    def _taken(self, chosen: Sequence[Places]) -> list[Records]:
        records: Records = self._records.take(np.concatenate(chosen)).view(RECORD)
        ends = list(accumulate(map(len, chosen)))
        return [records[end - len(places) : end] for end, places in zip(ends, chosen, strict=True)]


def _joined(candidates: Sequence[Records]) -> Records:
    opaque = [records.view(_OPAQUE) for records in candidates]
    return opaque[0] if len(opaque) == 1 else np.concatenate(opaque)
