"""Policy ``equilibrium``: keys that seed are introduced sooner, pair by pair, and nobody is cut off.

Two peers may be introduced if every leecher among them accepts the other peer. A leecher accepts peers of its own tier
or below at once. Of the peers of higher tiers it accepts a share that grows with its age, and a guaranteed number from
the start. A keyed hash of the pair decides which ones, so the answer is the same whichever of
the two announces, at any time and on every replica. Source: the simulations that ``make equilibrium`` runs.
"""

from collections.abc import Sequence

from etracker_announce.domain.policies.equilibrium import few
from etracker_announce.domain.policies.equilibrium.pairs import Pairs
from etracker_announce.domain.policies.equilibrium.parameters import (
    DEFAULTS,
    RIVALS,
    TIERS,
    EquilibriumParameters,
    heights_of,
    tau_of,
)
from etracker_announce.domain.policies.equilibrium.terms import LEECHER
from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.swarm import Records

__all__ = [
    "DEFAULTS",
    "RIVALS",
    "TIERS",
    "WINDOW",
    "EquilibriumParameters",
    "choose",
    "choose_many",
    "interval",
    "restricted_interval",
    "tau_of",
    "withholds",
]

WINDOW = 300

FEW = 48
"""The most candidates for which a loop is faster than numpy."""


def interval(question: Question, parameters: EquilibriumParameters = DEFAULTS) -> int | None:
    """Return the announce interval in seconds while the asker's list may be restricted; None for the usual one."""
    asker, length = question.asker, question.torrent_length
    heights = heights_of(parameters.steps)
    restricted_seconds = (heights[-1] - heights[asker.tier]) * tau_of(length, parameters, question.leechers)
    if asker.role != LEECHER or question.now - asker.first_seen >= restricted_seconds:
        return None
    return restricted_interval(length, parameters)


def restricted_interval(torrent_length: int | None, parameters: EquilibriumParameters = DEFAULTS) -> int:
    """Return the announce interval in seconds of a leecher whose list may be restricted.

    It isn't longer in a crowd: what counts as presence until the next announce is decided before the crowd is counted.
    """
    shortest, longest = parameters.interval_bounds
    return int(min(max(tau_of(torrent_length, parameters), shortest), longest))


def withholds(question: Question, wanted_interval: int | None) -> bool:
    """Return whether some peers may be withheld: from a leecher while it has an interval of its own, else always."""
    return wanted_interval is not None or question.asker.role != LEECHER


def choose(question: Question, candidates: Records, parameters: EquilibriumParameters = DEFAULTS) -> Records:
    """Choose numwant of the peers the asker may be introduced to.

    If the asker seeds, the seeders among its candidates are its rivals: they are counted, not chosen.
    """
    return choose_many([question], [candidates], parameters)[0]


def choose_many(
    questions: Sequence[Question], candidates: Sequence[Records], parameters: EquilibriumParameters = DEFAULTS
) -> list[Records]:
    """Choose for several askers, independently, each from its own candidates."""
    wanted = [
        records if question.numwant > 0 else records[:0]
        for question, records in zip(questions, candidates, strict=True)
    ]
    if sum(map(len, wanted)) <= FEW:
        return [few.choose(*pair, parameters) for pair in zip(questions, wanted, strict=True)]
    return Pairs(questions, wanted, parameters).choose()
