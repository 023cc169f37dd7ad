"""Notices about a changed tier, for the key's clients.

Texts are an API: clients act on words in them (PROTOCOL.md, 19), so a test compares these with announce's list. Each
is one line of ASCII of at most 127 bytes, because Transmission 3.00 truncates longer ones.
"""

from enum import StrEnum
from typing import NamedTuple

from etracker_scoring.scores.formula import KeyHistory, Score, ScoreParameters, score_of
from etracker_scoring.scores.keys import Key
from etracker_scoring.scores.tiers import days_missing, entry_score, is_careless
from etracker_shared.language.tier import Tier

DELIVERY_MS = 2000
"""How long caches may still answer announces without a notice that is already stored."""

TIER_NAMES = ("free-rider", "little history", "contributor", "steady seeder", "long-term seeder")

RECOVERY_REQUESTED = (
    "Someone asked for a recovery code for your key. If it wasn't you, object at the tracker's My standing page."
)
"""The notice that a key's clients get until the code is given out, somebody objects or the key is rotated."""


class Notice(NamedTuple):
    """A text for a key's clients, and when it became true (Unix milliseconds)."""

    text: str
    at_ms: int


class Reason(StrEnum):
    """Why a tier changed, in the words of the notice."""

    SCORE_ROSE = "your seeding raised your score. Thanks, you meet peers sooner now."
    SEEDED_LONG = "you have seeded for enough days. Thanks, you meet peers sooner now."
    OWES_LESS = "you owe less seeding than before. You meet peers sooner now."
    PREFIX_FORGIVEN = "a free-rider in your network is forgotten. You meet peers sooner now."
    SCORE_FELL = "your score fell short for want of seeding. Seed more to rise again."
    SNATCHES_UNPAID = "you seeded too little of what you fetched. Seed it to rise again."
    GRACE_OVER = "your newcomer's grace ended with a snatch. Seed what you fetched to rise again."


def reason_of(before: Key, history: KeyHistory, after: Tier, now: float, parameters: ScoreParameters) -> Reason | None:
    """Find why a key's tier differs from the one it had ``before``. ``history``: of the key, ``now`` (Unix seconds).

    If the demotion after a grace had to wait, because the score was only just too low, the reason given is the score.
    None: the key lost its tier through nothing that it did or left undone. It held a grace that was another key's, the
    thresholds have risen, or an operator has corrected its statistics.
    """
    score = score_of(history, now, parameters)
    if after > before.held.tier:
        return _reason_to_rise(before, history, after, parameters)
    if after is Tier.FREE_RIDER and is_careless(history, score, parameters):
        return Reason.SNATCHES_UNPAID
    if before.held.tier is Tier.CONTRIBUTOR and _ends_grace(before, history, now, parameters):
        return Reason.GRACE_OVER
    if _was_too_low(before, parameters):
        return None
    would_be_enough = _at_best_conduct(score) >= entry_score(before.held.tier, parameters)
    return Reason.SNATCHES_UNPAID if would_be_enough else Reason.SCORE_FELL


def _reason_to_rise(before: Key, history: KeyHistory, after: Tier, parameters: ScoreParameters) -> Reason:
    then = score_of(before.history, before.history.at_seconds, parameters)
    if after > Tier.LITTLE_HISTORY:
        was_too_new, is_too_new = (days_missing(one, after, parameters) > 0 for one in (before.history, history))
        waited = then.total >= entry_score(after, parameters) and was_too_new and not is_too_new
        return Reason.SEEDED_LONG if waited else Reason.SCORE_ROSE
    return Reason.OWES_LESS if is_careless(before.history, then, parameters) else Reason.PREFIX_FORGIVEN


def _ends_grace(before: Key, history: KeyHistory, now: float, parameters: ScoreParameters) -> bool:
    """Return whether snatches ended a grace that the key needed for its tier."""
    ended = before.history.taken < parameters.grace_snatches <= history.taken
    needed = score_of(before.history, now, parameters).total < parameters.steady_score
    return before.origin.grace and ended and needed


def _was_too_low(before: Key, parameters: ScoreParameters) -> bool:
    """Return whether the score was too low for the tier at the key's last announce, and that had had no effect yet."""
    score = score_of(before.history, before.history.at_seconds, parameters)
    held = before.held
    return held.falling_since is None and not before.origin.grace and score.total < entry_score(held.tier, parameters)


def _at_best_conduct(score: Score) -> float:
    return score.recent + score.average + score.length


def tier_notice(before: Tier, after: Tier, reason: Reason) -> str:
    """Write the notice: the change, the reason, and what to do."""
    changed = "rose" if after > before else "fell"
    return f"You {changed} to tier {after} of 4 ({TIER_NAMES[after]}): {reason}"
