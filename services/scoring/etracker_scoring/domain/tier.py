"""From a score to a tier, and how slowly a tier is lost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from etracker_scoring.domain.score import KeyHistory, Score, ScoreParameters
from etracker_shared.tiers import Tier


@dataclass(frozen=True, slots=True)
class Origin:
    """What the tracker knows of a key besides its history.

    ``grace``: the key holds the newcomer's grace of its address prefix. ``stained``: it is new, and its prefix held
    a free-rider's key not long ago. ``highest``: where a confirmed cheat's tier is capped.
    """

    grace: bool = False
    stained: bool = False
    highest: Tier = Tier.LONG_TERM_SEEDER


@dataclass(frozen=True, slots=True)
class HeldTier:
    """The tier a key has, and since when its score has deserved less (Unix seconds; None: it doesn't)."""

    tier: Tier
    falling_since: float | None = None


def deserved_tier(key: KeyHistory, score: Score, origin: Origin, parameters: ScoreParameters) -> Tier:
    """Judge a key by its score now, without regard to the tier it holds."""
    return min(_earned_tier(key, score, origin, parameters), origin.highest)


def _earned_tier(key: KeyHistory, score: Score, origin: Origin, parameters: ScoreParameters) -> Tier:
    for tier in (Tier.LONG_TERM_SEEDER, Tier.STEADY_SEEDER, Tier.CONTRIBUTOR):
        if score.total >= entry_score(tier, parameters):
            return tier
    careless = score.conduct < parameters.free_rider_conduct and key.snatches >= parameters.free_rider_snatches
    if careless or origin.stained:
        return Tier.FREE_RIDER
    if origin.grace and key.snatches < parameters.grace_snatches:
        return Tier.CONTRIBUTOR
    return Tier.LITTLE_HISTORY


def entry_score(tier: Tier, parameters: ScoreParameters) -> float:
    """Return the score that a tier takes, 0 for the two that take none."""
    return (0.0, 0.0, parameters.steady_score, parameters.strong_score, parameters.long_term_score)[tier]


def hold_tier(held: HeldTier, deserved: Tier, score: Score, now: float, parameters: ScoreParameters) -> HeldTier:
    """Promote at once; demote after the wait, or as far as the score is below by more than the margin.

    Free-rider is a matter of conduct, not of points: nobody falls there without the wait, in which to start seeding.
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


def _floor(tier: Tier, parameters: ScoreParameters) -> float:
    return entry_score(tier, parameters) - parameters.demotion_margin


@dataclass(frozen=True, slots=True)
class Recalibration:
    """How thresholds follow the community: every night ``step`` of the way to percentiles of the active keys."""

    percentiles: tuple[float, float, float] = (50.0, 75.0, 90.0)
    step: float = 0.2
    furthest: float = 0.3
    """Share of the configured value that a threshold moves away from it at most."""
    fewest_keys: int = 1000


def recalibrate(
    current: ScoreParameters, configured: ScoreParameters, scores: Sequence[float], rule: Recalibration
) -> ScoreParameters:
    """Move the thresholds towards what active keys score; too few keys move nothing."""
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
