"""Tiers: which tier a score deserves, and how slowly a key loses its tier."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from etracker_scoring.scores.formula import DAY, NEW_KEY, KeyHistory, Score, ScoreParameters, score_of
from etracker_shared.language.tier import Tier


class Origin(NamedTuple):
    """The origin of a key, as far as it affects the tier.

    ``grace``: the key holds the newcomer's grace of its address prefix. ``stained``: it is new, and its prefix held
    a free-rider's key not long ago. ``highest``: the highest tier that a confirmed cheat may have. ``since``: its first
    announce (Unix seconds; None: it never announced).
    """

    grace: bool = False
    stained: bool = False
    highest: Tier = Tier.LONG_TERM_SEEDER
    since: float | None = None


class HeldTier(NamedTuple):
    """The tier a key holds. ``falling_since``: when its score began to deserve a lower one (Unix seconds), or None."""

    tier: Tier
    falling_since: float | None = None


def deserved_tier(key: KeyHistory, score: Score, origin: Origin, parameters: ScoreParameters) -> Tier:
    """Return the tier that a score deserves, whatever tier the key holds."""
    return min(_earned_tier(key, score, origin, parameters), origin.highest)


def _earned_tier(key: KeyHistory, score: Score, origin: Origin, parameters: ScoreParameters) -> Tier:
    if score.total >= parameters.steady_score:
        if score.total >= parameters.long_term_score:
            return Tier.LONG_TERM_SEEDER
        return Tier.STEADY_SEEDER if score.total >= parameters.strong_score else Tier.CONTRIBUTOR
    if is_careless(key, score, parameters) or origin.stained:
        return Tier.FREE_RIDER
    if origin.grace and key.taken < parameters.grace_snatches:
        return Tier.CONTRIBUTOR
    return Tier.LITTLE_HISTORY


def is_careless(key: KeyHistory, score: Score, parameters: ScoreParameters) -> bool:
    """Return whether a key takes without giving back, which makes it a free-rider if its score is low."""
    return score.conduct < parameters.free_rider_conduct and key.taken >= parameters.free_rider_snatches


def entry_score(tier: Tier, parameters: ScoreParameters) -> float:
    """Return the threshold of a tier, 0 for the two tiers that have none."""
    return (0.0, 0.0, parameters.steady_score, parameters.strong_score, parameters.long_term_score)[tier]


def days_required(tier: Tier, parameters: ScoreParameters) -> float:
    """Return the days of seeding without which no key rises to a tier."""
    return (0.0, 0.0, 0.0, parameters.strong_days, parameters.long_term_days)[tier]


def days_missing(key: KeyHistory, tier: Tier, parameters: ScoreParameters) -> float:
    """Return how many more days of seeding a key needs to rise to a tier."""
    return max(0.0, days_required(tier, parameters) - key.seeding_seconds / DAY)


def within_reach(key: KeyHistory, deserved: Tier, held: Tier, parameters: ScoreParameters) -> Tier:
    """Return the tier of a key that deserves one by its score: it doesn't rise before it has seeded for long enough."""
    tier = deserved
    while tier > held and days_missing(key, tier, parameters):
        tier = Tier(tier - 1)
    return tier


def hold_tier(held: HeldTier, deserved: Tier, score: Score, now: float, parameters: ScoreParameters) -> HeldTier:
    """Promote at once; demote after the wait, or at once if the score is below the threshold by more than the margin.

    Tier 0 depends on conduct, not on points: a key never falls to it without the wait, during which it can seed.
    """
    if deserved >= held.tier:
        return HeldTier(deserved)
    since = now if held.falling_since is None else held.falling_since
    if now - since >= parameters.demotion_wait_hours * 3600.0:
        return HeldTier(deserved)
    tier = held.tier
    while tier > max(deserved, Tier.LITTLE_HISTORY) and score.total < _floor(tier, parameters):
        tier = Tier(tier - 1)
    return HeldTier(tier, since if tier > deserved else None)


class Assessment(NamedTuple):
    """A key's tier and score at a given time."""

    held: HeldTier
    score: Score


def assess(key: KeyHistory, held: HeldTier, origin: Origin, now: float, parameters: ScoreParameters) -> Assessment:
    """Judge a key at a given time from its stored state alone; every replica gets the same result.

    ``held`` is the tier as of the key's last announce. If decay alone has since taken the score below that tier, the
    wait is over once the score has been below it for the whole wait.
    """
    score = score_of(key, now, parameters)
    if origin.since is None:
        return Assessment(HeldTier(Tier.LITTLE_HISTORY), score)
    if origin.stained and now - origin.since >= parameters.prefix_memory_days * DAY:
        origin = origin._replace(stained=False)
    deserved = within_reach(key, deserved_tier(key, score, origin, parameters), held.tier, parameters)
    if deserved < held.tier and held.falling_since is None:
        then = now - parameters.demotion_wait_hours * 3600.0
        decayed_since = then >= key.at_seconds  # otherwise the score fell later, at its last update
        if decayed_since and deserved_tier(key, score_of(key, then, parameters), origin, parameters) < held.tier:
            return Assessment(HeldTier(deserved), score)
    return Assessment(hold_tier(held, deserved, score, now, parameters), score)


def enter(origin: Origin, parameters: ScoreParameters) -> HeldTier:
    """Return the first tier of a new key, which has no tier yet that it could lose."""
    return HeldTier(deserved_tier(NEW_KEY, score_of(NEW_KEY, 0.0, parameters), origin, parameters))


def _floor(tier: Tier, parameters: ScoreParameters) -> float:
    return entry_score(tier, parameters) - parameters.demotion_margin


@dataclass(frozen=True, slots=True)
class Recalibration:
    """How thresholds follow the community: each night they move ``step`` of the way to percentiles of active keys."""

    percentiles: tuple[float, float, float] = (50.0, 75.0, 90.0)
    step: float = 0.2
    furthest: float = 0.3
    """Largest distance of a threshold from the configured one, as a share of the configured one."""
    fewest_keys: int = 1000


def recalibrate(
    current: ScoreParameters, configured: ScoreParameters, scores: Sequence[float], rule: Recalibration
) -> ScoreParameters:
    """Move the thresholds towards the scores of active keys; they don't move if there are too few keys."""
    if len(scores) < rule.fewest_keys:
        return current
    ranked = sorted(scores)
    targets = [_percentile(ranked, percent) for percent in rule.percentiles]
    olds = (current.steady_score, current.strong_score, current.long_term_score)
    anchors = (configured.steady_score, configured.strong_score, configured.long_term_score)
    moved = [
        min(max(old + rule.step * (target - old), (1 - rule.furthest) * anchor), (1 + rule.furthest) * anchor)
        for old, target, anchor in zip(olds, targets, anchors, strict=True)
    ]
    if not moved[0] < moved[1] < moved[2] <= 100:
        return current
    return replace(current, steady_score=moved[0], strong_score=moved[1], long_term_score=moved[2])


def _percentile(ranked: Sequence[float], percent: float) -> float:
    place = (len(ranked) - 1) * percent / 100.0
    below = int(place)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (place - below) * (ranked[above] - ranked[below])
