"""The rules of policy ``equilibrium``, one pair at a time: faster than numpy for a few candidates."""

from etracker_announce.domain.policies.equilibrium.kinds import KIND_OF, READ, ages_of
from etracker_announce.domain.policies.equilibrium.parameters import (
    TIERS,
    EquilibriumParameters,
    heights_of,
    tau_of,
)
from etracker_announce.domain.policies.equilibrium.terms import LEECHER, terms_of
from etracker_announce.domain.policies.pair_hashes import pair_hash_of, pair_hashes
from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.policies.random_peers import sample
from etracker_announce.domain.swarm import Records


def choose(question: Question, candidates: Records, parameters: EquilibriumParameters) -> Records:
    """Choose numwant of the peers the asker may be introduced to."""
    return sample(candidates.take(Few(question, candidates, parameters).allowed()), question.numwant, question.seed)


class Few:
    """A few candidates as one asker sees them."""

    def __init__(self, question: Question, candidates: Records, parameters: EquilibriumParameters) -> None:
        read = candidates.view(READ)
        self._question = question
        self._parameters = parameters
        self._kinds: list[int] = KIND_OF.take(read["tier_and_flags"]).tolist()
        self._ages: list[float] = ages_of(read).tolist()
        self._pair_hashes = read["pair_hash"].tolist()
        self._hashes: list[float] = pair_hashes(question.asker.pair_hash, read["pair_hash"]).tolist()
        leechers = [place for place, kind in enumerate(self._kinds) if kind >= TIERS]
        self._halves = [place for place, kind in enumerate(self._kinds) if kind < TIERS], leechers
        self.seeders, self.leechers = map(len, self._halves)
        self._tau = tau_of(question.torrent_length, parameters, question.leechers)
        self._heights = heights_of(parameters.steps)
        self._terms = terms_of(question, self, parameters)

    def smallest(self, rank: int, *, leeching: bool) -> float:
        """Return a hash, see :class:`~etracker_announce.domain.policies.equilibrium.terms.Sight`."""
        return sorted([self._hashes[place] for place in self._halves[leeching]])[rank - 1]

    def allowed(self) -> list[int]:
        """Return the places of the peers that the asker may be introduced to."""
        accepted = self._terms.accepted
        allowed = [
            place
            for place, (hashed, kind) in enumerate(zip(self._hashes, self._kinds, strict=True))
            if hashed <= accepted[kind] and self._accepts(place, kind, hashed)
        ]
        if self._question.asker.role == LEECHER:
            fewest = min(self._parameters.fewest, self._question.numwant, len(self._kinds))
            if len(allowed) < fewest:
                allowed += self._closest_others(allowed)[: fewest - len(allowed)]
        return allowed

    def _accepts(self, place: int, kind: int, hashed: float) -> bool:
        """Return whether a candidate accepts the asker."""
        return (
            hashed <= self._terms.accepting[kind]
            or hashed <= self._share_at(place, kind)
            or self._has_few_closer(place, hashed, self._terms.closest[kind])
        )

    def _share_at(self, place: int, kind: int) -> float:
        """Return the share of the asker's tier that a candidate, a leecher of a lower tier, accepts by now (0 to 1)."""
        gap = self._heights[self._question.asker.tier] - self._heights[kind % TIERS] - self._ages[place] / self._tau
        return float(self._parameters.phi ** max(0.0, gap))

    def _has_few_closer(self, place: int, hashed: float, wanted: int) -> bool:
        """Return whether fewer than ``wanted`` of the asker's rivals are closer to a candidate than the asker is."""
        if not wanted:
            return False
        own, closer = self._pair_hashes[place], 0
        for rival in self._halves[self._question.asker.role == LEECHER]:
            other = self._pair_hashes[rival]
            if other != own and pair_hash_of(own + other) < hashed:
                closer += 1
                if closer == wanted:
                    return False
        return True

    def _closest_others(self, allowed: list[int]) -> list[int]:
        """Return the places of the other candidates: the lowest tiers first and, within a tier, the closest first."""
        others = set(range(len(self._kinds))) - set(allowed)
        return sorted(others, key=lambda place: (self._kinds[place] % TIERS, self._hashes[place]))
