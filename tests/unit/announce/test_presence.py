"""A leecher's age counts the time it was there and waiting, whatever it announces and however often.

The kind of fault: restrictions that end by themselves while a client is away, or isn't downloading.
"""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_announce.domain.presence import (
    UNIT_BYTES,
    UNKNOWN_LEFT,
    Pace,
    Presence,
    announce,
    counted_seconds,
    join,
    left_units,
    longest_gap,
)

NOW = 1_800_000_000
PACE = Pace(longest_gap(1800), 0.25)
LEFTS = st.integers(0, 50) | st.just(UNKNOWN_LEFT)
ANNOUNCES = st.lists(st.tuples(st.integers(0, 5000), LEFTS, st.booleans()), max_size=40)
PACES = st.builds(Pace, st.integers(0, 4000), st.sampled_from([0.1, 0.25, 1 / 3, 1.0]))


def play(announces: list[tuple[int, int, bool]], pace: Pace = PACE) -> list[Presence]:
    """Return the presence after joining and after each announce: seconds since the last one, units left, asked."""
    played = [join(NOW, 40)]
    for seconds, left, asked in announces:
        played.append(announce(played[-1], played[-1].seen + seconds, left, pace, asked=asked))
    return played


@given(announces=ANNOUNCES, pace=PACES)
def test_age_never_falls_and_never_exceeds_the_time_present(announces: list[tuple[int, int, bool]], pace: Pace) -> None:
    present = 0
    for before, after in pairwise(play(announces, pace)):
        present += min(after.seen - before.seen, pace.longest_gap)
        assert before.age <= after.age <= present


@given(announces=ANNOUNCES)
def test_without_progress_a_quarter_of_the_time_counts(announces: list[tuple[int, int, bool]]) -> None:
    idle = play([(seconds, 40 + left, asked) for seconds, left, asked in announces])
    present = sum(min(seconds, PACE.longest_gap) for seconds, _, _ in announces)
    assert idle[-1].age <= present / 4 + 1
    waiting = play([(seconds, 40, True) for seconds, _, _ in announces])
    assert waiting[-1].age >= present / 4 - 2 * len(announces)


@given(announces=ANNOUNCES, at=st.integers(0, 39), more=st.integers(1, 30))
def test_progress_and_presence_never_make_a_leecher_younger(
    announces: list[tuple[int, int, bool]], at: int, more: int
) -> None:
    older = [
        (seconds + more if place == at else seconds, left, True) for place, (seconds, left, _) in enumerate(announces)
    ]
    assert play(announces)[-1].age <= play(older)[-1].age + len(announces)


@given(seconds=st.lists(st.integers(0, 400), min_size=1), share=st.sampled_from([0.1, 0.25, 1 / 3, 1.0]))
def test_announcing_often_counts_as_much_as_announcing_rarely(seconds: list[int], share: float) -> None:
    seen, counted = NOW, 0
    for gap in seconds:
        counted += counted_seconds(seen, seen + gap, 400, share)
        seen += gap
    assert counted == counted_seconds(NOW, seen, seen - NOW, share)


@pytest.mark.parametrize("tau", [120, 852, 7200])
@pytest.mark.parametrize("interval", [300, 1800])
def test_whoever_never_gets_a_piece_is_old_enough_after_16_tau(tau: int, interval: int) -> None:
    announces = -(-16 * tau // interval)
    stuck = play([(interval, 40, True)] * announces, Pace(longest_gap(interval), 0.25))
    assert stuck[-1].age >= 4 * tau
    assert stuck[-2].age < 4 * tau


def test_only_a_new_minimum_is_progress() -> None:
    for lefts in ([50, 45, 41], [40, 50, 40, 50, 40], [UNKNOWN_LEFT] * 3):
        assert play([(400, left, True) for left in lefts])[-1].age == 100 * len(lefts)
    assert play([(400, 50, True), (400, 39, True), (400, 45, True), (400, 38, True)])[-1].age == 1000


def test_whoever_asks_for_nobody_waits_for_nobody_but_may_make_progress() -> None:
    assert play([(400, 40, False), (400, 40, False), (400, 40, True)])[-1].age == 0
    assert play([(400, 40, False), (400, 39, False)])[-1].age == 400


def test_nothing_counts_while_a_leecher_is_gone() -> None:
    away = 86_400
    once_a_day = play([(away, 40, True)] * 30, Pace(longest_gap(300), 0.25))[-1]
    assert once_a_day.age <= 30 * longest_gap(300) // 4
    assert join(NOW + away, 40, age=once_a_day.age).age == once_a_day.age


def test_clocks_that_disagree_make_nobody_older_or_younger() -> None:
    before = Presence(NOW - 100, NOW, 40)
    assert announce(before, NOW - 7, 40, PACE).age == 100


def test_a_piece_is_at_least_one_unit() -> None:
    assert left_units(5 * UNIT_BYTES) - left_units(4 * UNIT_BYTES) == 1
    assert [left_units(left) for left in (-1, 0, 1, 2**63 - 1)] == [UNKNOWN_LEFT, 0, 0, UNKNOWN_LEFT]
