import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_scoring.scores.formula import DAY, NEW_KEY, KeyHistory, Score, ScoreParameters, score_of
from etracker_scoring.scores.thresholds import Thresholds, moved, thresholds_of, with_thresholds
from etracker_scoring.scores.tiers import (
    HeldTier,
    Origin,
    Recalibration,
    assess,
    deserved_tier,
    enter,
    hold_tier,
    recalibrate,
)
from etracker_shared.language.tier import Tier

DEFAULTS = ScoreParameters()
NOW = 20_000 * DAY
HOUR = 3600.0
ANYBODY = Origin()


def scoring(total: float, conduct: float = 1.0) -> Score:
    return Score(total, recent=total, average=0.0, length=0.0, conduct=conduct)


def after_snatches(count: int) -> KeyHistory:
    return KeyHistory(snatches=count)


def deserve(total: float, conduct: float = 1.0, snatches: int = 5, origin: Origin = ANYBODY) -> Tier:
    return deserved_tier(after_snatches(snatches), scoring(total, conduct), origin, DEFAULTS)


@pytest.mark.parametrize(
    ("total", "tier"), [(0.0, 1), (14.9, 1), (15.0, 2), (37.9, 2), (38.0, 3), (61.9, 3), (62.0, 4), (100.0, 4)]
)
def test_thresholds_of_the_score_make_tiers(total: float, tier: int) -> None:
    assert deserve(total) == tier


def test_two_snatches_and_nothing_seeded_make_a_free_rider() -> None:
    assert deserve(0.0, conduct=0.34, snatches=2) is Tier.FREE_RIDER
    assert deserve(0.0, conduct=0.34, snatches=1) is Tier.LITTLE_HISTORY
    assert deserve(15.0, conduct=0.34, snatches=2) is Tier.CONTRIBUTOR


def test_a_newcomer_with_grace_is_a_contributor_until_the_second_snatch() -> None:
    grace = Origin(grace=True)
    assert deserved_tier(NEW_KEY, scoring(0), grace, DEFAULTS) is Tier.CONTRIBUTOR
    assert deserve(0.0, snatches=1, origin=grace) is Tier.CONTRIBUTOR
    assert deserve(0.0, snatches=2, origin=grace) is Tier.LITTLE_HISTORY


def test_a_new_key_from_a_free_riders_prefix_gains_nothing_until_it_seeds() -> None:
    stained = Origin(grace=True, stained=True)
    assert deserve(0.0, snatches=0, origin=stained) is Tier.FREE_RIDER
    assert deserve(15.0, snatches=0, origin=stained) is Tier.CONTRIBUTOR


def test_a_confirmed_cheats_tier_is_capped() -> None:
    assert deserve(90.0, origin=Origin(highest=Tier.LITTLE_HISTORY)) is Tier.LITTLE_HISTORY


@given(st.floats(0, 100), st.floats(0, 100), st.integers(0, 5), st.floats(0, 1), st.booleans())
def test_a_better_score_never_gives_a_lower_tier(
    one: float, other: float, snatches: int, conduct: float, grace: bool
) -> None:
    lower, higher = sorted((one, other))
    origin = Origin(grace=grace)
    assert deserve(lower, conduct, snatches, origin) <= deserve(higher, conduct, snatches, origin)


RICH = KeyHistory(NOW, recent=100.0, average=100.0, length_days=30.0)
"""94 points."""


def after_days(days: float, held: Tier) -> Tier:
    history = RICH._replace(seeding_seconds=days * DAY)
    return assess(history, HeldTier(held), Origin(since=NOW - 100 * DAY), NOW, DEFAULTS).held.tier


@pytest.mark.parametrize(("days", "tier"), [(0.01, 2), (2.99, 2), (3, 3), (13.99, 3), (14, 4)])
def test_no_score_raises_a_key_to_tier_3_or_4_before_it_has_seeded_for_days(days: float, tier: int) -> None:
    assert after_days(days, Tier.LITTLE_HISTORY) == tier


@pytest.mark.parametrize("held", [Tier.STEADY_SEEDER, Tier.LONG_TERM_SEEDER])
def test_a_tier_that_a_key_holds_is_kept_whatever_its_days(held: Tier) -> None:
    assert after_days(0, held) is held


def test_recalibration_does_not_touch_the_days() -> None:
    lowest = with_thresholds(DEFAULTS, Thresholds(10.5, 26.6, 43.4))
    assert (lowest.strong_days, lowest.long_term_days) == (3.0, 14.0)


def test_unfinished_downloads_end_the_grace_and_make_free_riders_like_snatches() -> None:
    unfinished = KeyHistory(NOW, owed=2.5)
    assert deserved_tier(unfinished, scoring(0.0, 0.3), Origin(grace=True), DEFAULTS) is Tier.FREE_RIDER
    assert deserved_tier(unfinished, scoring(0.0, 0.9), Origin(grace=True), DEFAULTS) is Tier.LITTLE_HISTORY


def test_a_promotion_happens_at_once() -> None:
    assert hold_tier(HeldTier(Tier.LITTLE_HISTORY), Tier.LONG_TERM_SEEDER, scoring(70), NOW, DEFAULTS) == HeldTier(
        Tier.LONG_TERM_SEEDER
    )


def test_a_demotion_waits_a_day() -> None:
    held = hold_tier(HeldTier(Tier.STEADY_SEEDER), Tier.CONTRIBUTOR, scoring(37), NOW, DEFAULTS)
    assert held == HeldTier(Tier.STEADY_SEEDER, NOW)
    held = hold_tier(held, Tier.CONTRIBUTOR, scoring(36), NOW + 23 * HOUR, DEFAULTS)
    assert held.tier is Tier.STEADY_SEEDER
    assert hold_tier(held, Tier.CONTRIBUTOR, scoring(36), NOW + 24 * HOUR, DEFAULTS) == HeldTier(Tier.CONTRIBUTOR)


def test_a_score_that_recovers_in_time_keeps_the_tier() -> None:
    held = HeldTier(Tier.STEADY_SEEDER, NOW)
    assert hold_tier(held, Tier.STEADY_SEEDER, scoring(38), NOW + HOUR, DEFAULTS) == HeldTier(Tier.STEADY_SEEDER)


def test_a_score_three_points_below_is_demoted_at_once_as_far_as_it_is_clear() -> None:
    assert hold_tier(HeldTier(Tier.STEADY_SEEDER), Tier.CONTRIBUTOR, scoring(34.9), NOW, DEFAULTS) == HeldTier(
        Tier.CONTRIBUTOR
    )
    held = hold_tier(HeldTier(Tier.LONG_TERM_SEEDER), Tier.LITTLE_HISTORY, scoring(14), NOW, DEFAULTS)
    assert held == HeldTier(Tier.CONTRIBUTOR, NOW)


def test_nobody_becomes_a_free_rider_without_a_day_to_start_seeding() -> None:
    held = hold_tier(HeldTier(Tier.CONTRIBUTOR), Tier.FREE_RIDER, scoring(0, 0.3), NOW, DEFAULTS)
    assert held == HeldTier(Tier.LITTLE_HISTORY, NOW)
    assert hold_tier(held, Tier.FREE_RIDER, scoring(0, 0.3), NOW + 24 * HOUR, DEFAULTS) == HeldTier(Tier.FREE_RIDER)


def test_recalibration_moves_thresholds_a_fifth_of_the_way_to_the_percentiles() -> None:
    scores = [60.0 * place / 999 for place in range(1000)]
    moved = recalibrate(DEFAULTS, DEFAULTS, scores, Recalibration())
    assert moved.steady_score == pytest.approx(15 + 0.2 * (30 - 15))
    assert moved.strong_score == pytest.approx(38 + 0.2 * (45 - 38))
    assert moved.long_term_score == pytest.approx(62 + 0.2 * (54 - 62))


def test_recalibration_stays_within_thirty_percent_and_needs_a_thousand_keys() -> None:
    moved = DEFAULTS
    for _night in range(100):
        moved = recalibrate(moved, DEFAULTS, [1.0] * 1000, Recalibration())
    assert moved.long_term_score == pytest.approx(0.7 * 62)
    assert recalibrate(DEFAULTS, DEFAULTS, [1.0] * 999, Recalibration()) is DEFAULTS


SEEDED_WELL = KeyHistory(at_seconds=NOW, recent=30.0, average=30.0, length_days=40.0)
"""Scores 88 at first."""

USED = Origin(since=NOW - 90 * DAY)


def tier_after(days: float) -> Tier:
    return assess(SEEDED_WELL, HeldTier(Tier.LONG_TERM_SEEDER), USED, NOW + days * DAY, DEFAULTS).held.tier


def test_a_key_that_never_announced_has_little_history() -> None:
    assert assess(NEW_KEY, HeldTier(Tier.CONTRIBUTOR), Origin(), NOW, DEFAULTS).held == HeldTier(Tier.LITTLE_HISTORY)


def test_the_first_announce_decides_at_once_and_a_stained_key_starts_as_a_free_rider() -> None:
    assert enter(Origin(grace=True, since=NOW), DEFAULTS) == HeldTier(Tier.CONTRIBUTOR)
    assert enter(Origin(stained=True, since=NOW), DEFAULTS) == HeldTier(Tier.FREE_RIDER)
    assert enter(Origin(since=NOW), DEFAULTS) == HeldTier(Tier.LITTLE_HISTORY)


def test_a_stain_is_gone_after_thirty_days() -> None:
    held, origin = HeldTier(Tier.FREE_RIDER), Origin(stained=True, since=NOW)
    assert assess(NEW_KEY, held, origin, NOW + 29 * DAY, DEFAULTS).held.tier is Tier.FREE_RIDER
    assert assess(NEW_KEY, held, origin, NOW + 30 * DAY, DEFAULTS).held.tier is Tier.LITTLE_HISTORY


def test_a_key_that_falls_silent_loses_its_tiers_one_after_the_other_without_any_announce() -> None:
    tiers = [tier_after(days) for days in range(0, 200, 2)]
    assert tiers[0] is Tier.LONG_TERM_SEEDER
    assert tiers == sorted(tiers, reverse=True)
    assert set(tiers) == {Tier.LONG_TERM_SEEDER, Tier.STEADY_SEEDER, Tier.CONTRIBUTOR, Tier.LITTLE_HISTORY}


def test_a_silent_keys_demotion_waits_a_day_from_when_its_score_fell_below() -> None:
    minutes = range(0, 30 * 24 * 60, 10)
    deserves_less = next(
        minute
        for minute in minutes
        if score_of(SEEDED_WELL, NOW + minute * 60, DEFAULTS).total < DEFAULTS.long_term_score
    )
    falls = next(minute for minute in minutes if tier_after(minute / 1440) < Tier.LONG_TERM_SEEDER)
    assert falls - deserves_less == 24 * 60


def test_an_operators_new_thresholds_bound_those_that_were_moved() -> None:
    stored = Thresholds(19.5, 40.0, 62.0)
    assert with_thresholds(DEFAULTS, None) is DEFAULTS
    assert thresholds_of(with_thresholds(DEFAULTS, stored)) == stored
    lowered = ScoreParameters(steady_score=10.0)
    assert thresholds_of(with_thresholds(lowered, stored)) == Thresholds(13.0, 40.0, 62.0)


def test_a_night_moves_thresholds_from_where_they_are_or_not_at_all() -> None:
    scores = [60.0 * place / 999 for place in range(1000)]
    first = moved(DEFAULTS, None, scores)
    assert first is not None
    assert first.steady == pytest.approx(18.0)
    second = moved(DEFAULTS, first, scores)
    assert second is not None
    assert second.steady == pytest.approx(19.5)  # 18 + 0.2 * 12 is past the bound of 30 %
    assert moved(DEFAULTS, None, scores[:999]) is None
