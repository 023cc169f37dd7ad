"""What a suspected or confirmed anomaly does to a key's standing, and what is left of that when it ends."""

import pytest

from etracker_scoring.scores.formula import DAY, KeyHistory, ScoreParameters, decay
from etracker_scoring.scores.freezing import freeze
from etracker_scoring.scores.keys import Key, assess_key
from etracker_scoring.scores.tiers import HeldTier, Origin
from etracker_shared.agreements.anomalies import AnomalyState
from etracker_shared.language.identity import KeyHash
from etracker_shared.language.tier import Tier

NOW = 1_800_000_000.0
PARAMETERS = ScoreParameters()
BEFORE = KeyHistory(NOW, 20.0, 20.0, 40.0, 1.0, 1.0, 0.0, 1, 60 * DAY, NOW)
LATER = NOW + 2 * DAY
KEY = Key(7, KeyHash(bytes(16)), BEFORE, HeldTier(Tier.STEADY_SEEDER), Origin(since=NOW - 90 * DAY))


def suspected(key: Key) -> Key:
    frozen = freeze(key, key.held, AnomalyState.SUSPECTED, NOW, PARAMETERS)
    assert frozen
    return frozen.key


def later(key: Key) -> Key:
    """The key after two days in which it seeded a lot."""
    grown = decay(key.history, LATER, PARAMETERS)._replace(recent=90.0, average=90.0, length_days=42.0)
    return key._replace(history=grown)


def confirmed(key: Key) -> Key:
    frozen = freeze(key, key.held, AnomalyState.CONFIRMED, NOW, PARAMETERS)
    assert frozen
    assert frozen.returns_to == key.held
    return frozen.key


def test_suspicion_shows_nowhere_and_new_credit_waits() -> None:
    key = suspected(KEY)
    assert assess_key(key, NOW, PARAMETERS) == assess_key(KEY, NOW, PARAMETERS)
    assert assess_key(later(key), LATER, PARAMETERS).score == assess_key(KEY, LATER, PARAMETERS).score


def test_what_a_suspect_earned_counts_at_once_when_it_is_cleared() -> None:
    frozen = freeze(later(suspected(KEY)), KEY.held, AnomalyState.CLEARED, LATER, PARAMETERS)
    assert frozen
    assert frozen.key == later(KEY)


@pytest.mark.parametrize("before", [KEY, suspected(KEY)])
def test_a_confirmed_key_has_no_points_and_the_lowest_tier(before: Key) -> None:
    assessment = assess_key(later(confirmed(before)), LATER, PARAMETERS)
    assert (assessment.held.tier, assessment.score.total) == (Tier.FREE_RIDER, 0.0)


@pytest.mark.parametrize("state", [AnomalyState.CLEARED, AnomalyState.SUSPECTED])
def test_a_confirmation_that_ends_by_itself_leaves_what_there_was_before(state: AnomalyState) -> None:
    frozen = freeze(later(confirmed(KEY)), KEY.held, state, LATER, PARAMETERS)
    assert frozen
    assert frozen.key.history == decay(BEFORE, LATER, PARAMETERS)._replace(seeded_until=NOW)
    assert assess_key(frozen.key, LATER, PARAMETERS) == assess_key(KEY, LATER, PARAMETERS)


def test_a_confirmation_that_an_operator_ends_is_paid_back() -> None:
    frozen = freeze(later(confirmed(KEY)), KEY.held, AnomalyState.CLEARED, LATER, PARAMETERS, pays_back=True)
    assert frozen
    assert frozen.key.history == later(KEY).history
    assert frozen.score == assess_key(later(KEY), LATER, PARAMETERS).score.total


def test_a_confirmation_does_not_give_back_what_was_disowned_in_the_meantime() -> None:
    disowned = confirmed(KEY)._replace(history=BEFORE._replace(recent=1.0))
    frozen = freeze(disowned, KEY.held, AnomalyState.CLEARED, NOW, PARAMETERS)
    assert frozen
    assert frozen.key.history.recent == 1.0


def test_the_same_state_again_changes_nothing() -> None:
    assert freeze(confirmed(KEY), KEY.held, AnomalyState.CONFIRMED, NOW, PARAMETERS) is None
    assert freeze(suspected(KEY), KEY.held, AnomalyState.SUSPECTED, NOW, PARAMETERS) is None
    assert freeze(KEY, KEY.held, AnomalyState.CLEARED, NOW, PARAMETERS) is None
