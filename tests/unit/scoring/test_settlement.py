"""docs/protocol.md, "Accounting": one session, fact by fact."""

import pytest

from etracker_scoring.worker.records import Session
from etracker_scoring.worker.sessions import Settlement, settle
from etracker_shared.agreements.facts import MAX_COUNTER, UNKNOWN, Event, Fact
from tests.support.facts import make_fact


def settle_all(*facts: Fact) -> list[Settlement]:
    settlements: list[Settlement] = []
    session: Session | None = None
    for fact in facts:
        settlement = settle(session, fact)
        assert settlement is not None
        session = settlement.session
        settlements.append(settlement)
    return settlements


def credits_of(*facts: Fact) -> tuple[int, int]:
    session = settle_all(*facts)[-1].session
    return session.uploaded_credit, session.downloaded_credit


def seeding_of(*facts: Fact) -> int:
    return settle_all(*facts)[-1].session.seeding_seconds


@pytest.mark.promise(28)
def test_the_first_announce_of_a_session_credits_nothing() -> None:
    assert credits_of(make_fact(uploaded=500, downloaded=700)) == (0, 0)


@pytest.mark.promise(27)
def test_later_announces_credit_the_difference() -> None:
    first, second = make_fact(uploaded=500, downloaded=700), make_fact(at=60, uploaded=510, downloaded=900)
    assert credits_of(first, second) == (10, 200)


@pytest.mark.promise(27)
def test_a_falling_counter_is_a_new_base_and_the_other_counter_counts() -> None:
    first = make_fact(uploaded=100, downloaded=100_000)
    second = make_fact(at=60, uploaded=150, downloaded=30_000)
    third = make_fact(at=120, uploaded=150, downloaded=30_001)
    assert credits_of(first, second) == (50, 0)
    assert credits_of(first, second, third) == (50, 1)


@pytest.mark.promise(27)
def test_started_does_not_touch_the_base() -> None:
    first, again = make_fact(uploaded=100), make_fact(at=9, uploaded=130, event=Event.STARTED)
    assert credits_of(first, again) == (30, 0)


def test_a_restarted_client_is_credited_what_it_uploads_after_its_restart() -> None:
    facts = [make_fact(uploaded=100), make_fact(at=10, uploaded=0, event=Event.STARTED), make_fact(at=20, uploaded=7)]
    assert credits_of(*facts) == (7, 0)


@pytest.mark.promise(26)
def test_the_second_family_of_a_dual_stack_peer_adds_nothing() -> None:
    first = make_fact(uploaded=100)
    assert credits_of(first, make_fact(at=10, uploaded=160), make_fact(at=10.004, uploaded=160)) == (60, 0)


def test_a_fact_older_than_the_session_is_skipped() -> None:
    (settlement,) = settle_all(make_fact(at=10, uploaded=100))
    assert settle(settlement.session, make_fact(at=9, uploaded=900)) is None


@pytest.mark.promise(27)
def test_an_equal_repeat_changes_nothing() -> None:
    first, second = settle_all(make_fact(at=10, uploaded=100), make_fact(at=10, uploaded=100))
    assert first.session == second.session
    assert (second.uploaded, second.downloaded, second.seeded_from) == (0, 0, None)


def test_of_two_facts_of_one_millisecond_the_lower_counters_are_skipped() -> None:
    (settlement,) = settle_all(make_fact(at=10, uploaded=100))
    assert settle(settlement.session, make_fact(at=10, uploaded=99)) is None


@pytest.mark.promise(27)
def test_zeros_of_a_stopped_are_no_new_base() -> None:
    zeros = make_fact(at=20, event=Event.STOPPED, left=0)
    facts = [make_fact(uploaded=50, left=9), make_fact(at=10, uploaded=100, left=9), zeros]
    assert settle_all(*facts)[-1].session.left == 9
    assert credits_of(*facts, make_fact(at=30, uploaded=110, left=9)) == (60, 0)


def test_a_stopped_with_counters_counts_like_any_announce() -> None:
    assert credits_of(make_fact(uploaded=50), make_fact(at=10, uploaded=80, event=Event.STOPPED)) == (30, 0)


def test_an_unknown_left_says_nothing() -> None:
    assert settle_all(make_fact(left=5), make_fact(at=5, left=UNKNOWN))[-1].session.left == 5


def test_credits_stop_at_the_largest_counter() -> None:
    claim = MAX_COUNTER
    facts = [make_fact(), make_fact(at=1, uploaded=claim), make_fact(at=2), make_fact(at=3, uploaded=claim)]
    assert credits_of(*facts) == (MAX_COUNTER, 0)


def test_time_between_two_seeding_announces_is_seeding_time() -> None:
    assert seeding_of(make_fact(), make_fact(at=1800), make_fact(at=4400)) == 4400


def test_a_long_silence_counts_half_an_interval() -> None:
    assert seeding_of(make_fact(), make_fact(at=2701)) == 900


def test_time_as_a_leecher_or_after_a_stopped_is_no_seeding_time() -> None:
    assert seeding_of(make_fact(left=1), make_fact(at=60, left=0)) == 0
    assert seeding_of(make_fact(left=0), make_fact(at=60, left=1)) == 0
    assert seeding_of(make_fact(event=Event.STOPPED), make_fact(at=60, event=Event.STARTED)) == 0


def test_the_last_stretch_before_a_stopped_counts_even_if_nothing_was_transferred() -> None:
    assert seeding_of(make_fact(), make_fact(at=60, event=Event.STOPPED)) == 60


def test_many_short_steps_lose_no_seeding_time() -> None:
    assert seeding_of(*(make_fact(at=step * 0.4) for step in range(101))) == 40
