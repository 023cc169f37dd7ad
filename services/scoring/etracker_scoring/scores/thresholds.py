"""Thresholds that follow the community."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.scores.tiers import Recalibration, recalibrate

RULE = Recalibration()


class Thresholds(NamedTuple):
    """The thresholds of tiers 2, 3 and 4."""

    steady: float
    strong: float
    long_term: float


def thresholds_of(parameters: ScoreParameters) -> Thresholds:
    """Return the thresholds contained in parameters."""
    return Thresholds(parameters.steady_score, parameters.strong_score, parameters.long_term_score)


def with_thresholds(
    configured: ScoreParameters, stored: Thresholds | None, rule: Recalibration = RULE
) -> ScoreParameters:
    """Replace the configured thresholds with the stored ones, as far as the rule allows them to differ.

    A changed configuration therefore takes effect at once.
    """
    if stored is None:
        return configured
    low, high = 1.0 - rule.furthest, 1.0 + rule.furthest
    bounded = [
        min(max(score, low * anchor), high * anchor)
        for score, anchor in zip(stored, thresholds_of(configured), strict=True)
    ]
    if not bounded[0] < bounded[1] < bounded[2] <= 100.0:
        return configured
    return replace(configured, steady_score=bounded[0], strong_score=bounded[1], long_term_score=bounded[2])


def moved(
    configured: ScoreParameters,
    stored: Thresholds | None,
    scores: Sequence[float],
    rule: Recalibration = RULE,
) -> Thresholds | None:
    """Return the thresholds after tonight's recalibration, None if they don't change."""
    current = with_thresholds(configured, stored, rule)
    after = recalibrate(current, configured, scores, rule)
    return None if after is current else thresholds_of(after)
