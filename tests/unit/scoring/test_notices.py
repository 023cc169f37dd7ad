"""What clients are told about tiers, a text in which programs look for words to act on; and why a tier changed."""

from itertools import permutations, product

import pytest

from etracker_announce.frontends.http.failures import MAX_TEXT_BYTES, forbidden_words, one_line
from etracker_scoring.scores.formula import DAY, KeyHistory, ScoreParameters
from etracker_scoring.scores.keys import Key
from etracker_scoring.scores.notices import RECOVERY_REQUESTED, Reason, reason_of, tier_notice
from etracker_scoring.scores.tiers import HeldTier, Origin
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.language.tier import Tier

NOW = 20_000 * DAY
ALICE = Key(1, hash_announce_key("alice"), origin=Origin(since=NOW - 300 * DAY))
NEWCOMER = ALICE._replace(origin=Origin(grace=True, since=NOW - DAY))
GENEROUS = KeyHistory(NOW, recent=5.0, average=5.0, length_days=12.0)
"""48 points."""


def held(tier: Tier, history: KeyHistory, key: Key = ALICE) -> Key:
    return key._replace(history=history, held=HeldTier(tier))


def snatched(history: KeyHistory, snatches: int, paid: float = 0.0) -> KeyHistory:
    return history._replace(snatches=snatches, owed=float(snatches), paid=paid)


def why(before: Key, history: KeyHistory, after: Tier, later: float = 0.0) -> Reason | None:
    return reason_of(before, history, after, NOW + later, ScoreParameters())


@pytest.mark.promise(12, 19)
@pytest.mark.parametrize(("tiers", "reason"), list(product(permutations(Tier, 2), Reason)))
def test_every_notice_is_one_short_line_that_says_nothing_clients_act_upon(
    tiers: tuple[Tier, Tier], reason: Reason
) -> None:
    text = tier_notice(*tiers, reason)
    assert forbidden_words(text) == []
    assert one_line(text) == text.encode()
    assert len(text) <= MAX_TEXT_BYTES
    assert f"tier {tiers[1].value} " in text
    assert text.endswith(reason.value)


def test_so_is_the_notice_of_a_request_for_a_recovery_code() -> None:
    assert forbidden_words(RECOVERY_REQUESTED) == []
    assert one_line(RECOVERY_REQUESTED) == RECOVERY_REQUESTED.encode()
    assert len(RECOVERY_REQUESTED) <= MAX_TEXT_BYTES


def test_a_tier_of_two_and_more_is_won_by_the_score() -> None:
    assert why(held(Tier.CONTRIBUTOR, GENEROUS), GENEROUS, Tier.STEADY_SEEDER) is Reason.SCORE_ROSE


def test_a_tier_whose_score_was_enough_is_won_by_the_days() -> None:
    before, after = (GENEROUS._replace(seeding_seconds=days * DAY) for days in (2.9, 3.0))
    assert why(held(Tier.CONTRIBUTOR, before), after, Tier.STEADY_SEEDER) is Reason.SEEDED_LONG


def test_a_free_rider_rises_because_it_owes_less() -> None:
    before = held(Tier.FREE_RIDER, snatched(KeyHistory(NOW), 3))
    assert why(before, snatched(KeyHistory(NOW), 3, paid=1.5), Tier.LITTLE_HISTORY) is Reason.OWES_LESS


def test_a_key_that_was_taken_for_a_free_riders_rises_when_that_is_forgotten() -> None:
    stained = ALICE._replace(origin=Origin(stained=True, since=NOW - 31 * DAY))
    before = held(Tier.FREE_RIDER, KeyHistory(NOW), stained)
    assert why(before, KeyHistory(NOW), Tier.LITTLE_HISTORY) is Reason.PREFIX_FORGIVEN


def test_a_key_that_gave_nothing_back_is_a_free_rider_for_what_it_did_not_seed() -> None:
    careless = snatched(KeyHistory(NOW), 2)
    before = held(Tier.LITTLE_HISTORY, careless)
    assert why(before, careless, Tier.FREE_RIDER, later=DAY) is Reason.SNATCHES_UNPAID


def test_a_snatch_ends_the_grace_of_a_key_that_needed_it() -> None:
    before = held(Tier.CONTRIBUTOR, snatched(KeyHistory(NOW), 1), NEWCOMER)
    assert why(before, snatched(KeyHistory(NOW), 2), Tier.LITTLE_HISTORY) is Reason.GRACE_OVER


def test_a_key_with_a_grace_that_it_did_not_need_falls_for_what_it_did_not_seed() -> None:
    few = KeyHistory(NOW, recent=2.0, average=2.0)  # 23 points
    before = held(Tier.CONTRIBUTOR, few, NEWCOMER)
    assert why(before, snatched(few, 2), Tier.LITTLE_HISTORY) is Reason.SNATCHES_UNPAID


def test_a_grace_that_ended_long_ago_is_no_reason() -> None:
    few = snatched(KeyHistory(NOW, recent=1.5, average=1.5), 2, paid=2.0)  # 18 points
    before = held(Tier.CONTRIBUTOR, few, NEWCOMER)
    assert why(before, few, Tier.LITTLE_HISTORY, later=20 * DAY) is Reason.SCORE_FELL


@pytest.mark.parametrize(("snatches", "reason"), [(0, Reason.SCORE_FELL), (5, Reason.SNATCHES_UNPAID)])
def test_a_score_falls_by_fading_unless_paying_for_snatches_would_have_held_it(snatches: int, reason: Reason) -> None:
    before = held(Tier.STEADY_SEEDER, GENEROUS)
    later = 0.0 if snatches else 30 * DAY
    assert why(before, snatched(GENEROUS, snatches), Tier.CONTRIBUTOR, later) is reason


def test_nobody_is_told_of_losing_a_tier_that_was_not_lost_by_anything_they_did() -> None:
    """A grace that was another key's; thresholds that rose; an operator's correction."""
    overtaken = held(Tier.CONTRIBUTOR, KeyHistory(NOW))
    assert why(overtaken, KeyHistory(NOW), Tier.LITTLE_HISTORY) is None
    assert why(held(Tier.STEADY_SEEDER, snatched(KeyHistory(NOW), 5)), KeyHistory(NOW), Tier.LITTLE_HISTORY) is None
