"""How one asker's situation affects each kind of candidate, before any pair is looked at."""

from typing import NamedTuple, Protocol

from etracker_announce.domain.policies.equilibrium.parameters import (
    ALL,
    RIVALS,
    TIERS,
    EquilibriumParameters,
    heights_of,
    seeders_guaranteed,
    share_of_seeders,
    tau_of,
)
from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.swarm import Role

LEECHER = Role.LEECHER  # looked up once: an enum's attribute takes as long as ten comparisons

Shares = tuple[float, ...]
"""The highest accepted hash for each kind of candidate: seeders of tier 0 to 4, then leechers of tier 0 to 4."""

_NEVER, _AT_ONCE = (-1.0,) * TIERS, (ALL,) * TIERS


class Sight(Protocol):
    """The candidates as an asker sees them."""

    @property
    def seeders(self) -> int:
        """How many of them seed."""
        ...

    @property
    def leechers(self) -> int:
        """How many don't."""
        ...

    def smallest(self, rank: int, *, leeching: bool) -> float:
        """Return the hash with this rank among the seeders or the leechers, the smallest first."""
        ...


class Terms(NamedTuple):
    """The terms between an asker and its candidates.

    ``accepted``: what the asker accepts. ``accepting``: up to these hashes, candidates certainly accept the asker.
    Beyond them, a candidate may still accept it because the candidate has waited long enough, or because fewer than
    ``closest`` of the asker's rivals are closer to the candidate. ``rivals``: how many candidates seed if the asker
    seeds, or leech if it leeches.
    """

    accepted: Shares
    accepting: Shares
    closest: tuple[int, ...]
    rivals: int


def terms_of(question: Question, sight: Sight, parameters: EquilibriumParameters) -> Terms:
    """Return an asker's terms."""
    if question.asker.role == LEECHER:
        return _terms_of_leecher(question, sight, parameters)
    return _terms_of_seeder(question, sight.seeders, parameters)


def _terms_of_leecher(question: Question, sight: Sight, parameters: EquilibriumParameters) -> Terms:
    asker, leechers, rank = question.asker, sight.leechers, 0
    # The guarantee of leechers is symmetric: each sees as many others as the asker does.
    of_leechers = below = ALL
    if leechers > parameters.exact_up_to:
        of_leechers = below = parameters.leechers / leechers
    elif leechers > parameters.leechers:
        below, rank = 0.0, parameters.leechers
    accepting = _AT_ONCE + (below,) * asker.tier + _AT_ONCE[asker.tier :]
    closest = (rank,) * (2 * TIERS)
    heights, tau = heights_of(parameters.steps), tau_of(question.torrent_length, parameters, question.leechers)
    forgiven = heights[asker.tier] + (question.now - asker.first_seen) / tau
    if forgiven >= heights[-1]:
        return Terms(_AT_ONCE * 2, accepting, closest, leechers)
    if rank:
        of_leechers = sight.smallest(rank, leeching=True)
    of_seeders = _guarantee_of_seeders(question, sight, parameters)
    shares = [parameters.phi ** max(0.0, height - forgiven) for height in heights]
    accepted = [max(share, of_seeders) for share in shares] + [max(share, of_leechers) for share in shares]
    return Terms(tuple(accepted), accepting, closest, leechers)


def _guarantee_of_seeders(question: Question, sight: Sight, parameters: EquilibriumParameters) -> float:
    """Return the highest hash at which a leecher accepts seeders of any tier."""
    tier, among = question.asker.tier, max(sight.seeders, question.seeders)
    if among > parameters.exact_up_to:
        return share_of_seeders(parameters, tier, among, question.leechers)
    wanted = seeders_guaranteed(parameters, tier, sight.seeders, question.leechers)
    return ALL if wanted >= sight.seeders else sight.smallest(wanted, leeching=False)


def _terms_of_seeder(question: Question, rivals: int, parameters: EquilibriumParameters) -> Terms:
    asker = question.asker
    seeders = question.seeders if question.seeders > RIVALS else rivals + 1
    if seeders > parameters.exact_up_to:
        closest = [0] * TIERS
        shares = [share_of_seeders(parameters, tier, seeders, question.leechers) for tier in range(asker.tier)]
    else:
        closest = [seeders_guaranteed(parameters, tier, seeders, question.leechers) for tier in range(TIERS)]
        shares = [ALL if closest[tier] >= seeders else 0.0 for tier in range(asker.tier)]
    return Terms(_NEVER + _AT_ONCE, (*_AT_ONCE, *shares, *_AT_ONCE[asker.tier :]), (*closest, *closest), rivals)
