"""Observations: what the detector is told about settled facts."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.records import Content, Evidence, Observation
from etracker_scoring.detection.signals import follow
from etracker_scoring.scores.keys import Key
from etracker_scoring.worker.admission import admit
from etracker_scoring.worker.batch import SettledFact, Stored, settle_facts
from etracker_scoring.worker.observations import observe, says_something
from etracker_scoring.worker.plausibility import Limits
from etracker_scoring.worker.records import Torrent
from etracker_shared.agreements.facts import UNKNOWN, Event, Fact
from etracker_shared.language.identity import hash_announce_key
from tests.support.facts import info_hash_of, make_fact

KEY = Key(1, hash_announce_key("alice"))


def observed(facts: Sequence[Fact]) -> list[Observation]:
    admitted, _ = admit(facts, {KEY.key_hash: KEY}, {info_hash_of("film"): Torrent(1, 1000)})
    return [observe(item) for item in settle_facts(admitted, Stored(), Limits()).facts]


def test_the_first_announce_has_nothing_before_it() -> None:
    (first,) = observed([make_fact(uploaded=10**15)])
    assert (first.before, first.uploaded) == (None, 0)


def test_what_an_announce_adds_is_observed_before_any_bound() -> None:
    _, second = observed([make_fact(address="a"), make_fact(at=1, uploaded=2**50, downloaded=2**45, address="a")])
    assert (second.uploaded, second.downloaded, second.same_place) == (2**50, 2**45, True)


def test_one_counter_reported_over_two_addresses_adds_nothing_twice() -> None:
    facts = [make_fact(at=at, uploaded=at, address=name) for at in (0, 100, 200) for name in ("four", "six")]
    seen = observed(facts)
    assert [one.uploaded for one in seen] == [0, 0, 100, 0, 100, 0]
    assert [one.same_place for one in seen] == [False] * 6


@pytest.mark.parametrize(("now", "added"), [(0, 0), (300, 300), (449, 449), (450, 0), (800, 0), (901, 1), (UNKNOWN, 0)])
def test_a_counter_that_fell_to_less_than_half_began_again_at_0(now: int, added: int) -> None:
    facts = [make_fact(at=at, uploaded=up, downloaded=up, address="a") for at, up in enumerate((0, 900, now))]
    *_, last = observed(facts)
    assert last.before
    assert (last.before.uploaded, last.now.uploaded, last.uploaded, last.downloaded) == (900, now, added, added)


def test_a_counter_that_falls_at_its_own_place_is_told_from_one_of_another_place() -> None:
    ups = ((0, "four"), (0, "six"), (900, "four"), (900, "six"), (400, "four"), (400, "six"))
    seen = observed([make_fact(at=at, uploaded=up, address=name) for at, (up, name) in enumerate(ups)])
    assert [one.same_place for one in seen] == [False, False, False, False, True, False]


def test_the_late_stopped_of_a_client_restarted_since_is_compared_with_nothing() -> None:
    events = ((900, Event.REGULAR), (0, Event.STARTED), (950, Event.STOPPED))
    facts = [make_fact(at=at, uploaded=up, event=event, address="a") for at, (up, event) in enumerate(events)]
    *_, late = observed(facts)
    assert (late.before, late.uploaded) == (None, 50)


def test_what_the_client_did_not_report_stays_unknown() -> None:
    _, second = observed([make_fact(corrupt=UNKNOWN), make_fact(at=1, corrupt=UNKNOWN, suppressed=3, port=7)])
    assert (second.now.corrupt, second.suppressed, second.port) == (UNKNOWN, 3, 7)


STEPS = st.tuples(
    st.sampled_from((60, 200, 300, 899, 900, 1800, 9000)),
    st.sampled_from((0, 0, 0, 5, 10**7)),
    st.sampled_from((Event.REGULAR, Event.REGULAR, Event.REGULAR, Event.STARTED)),
    st.sampled_from((0, 0, 0, 20)),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, min_size=2, max_size=60))
def test_announces_that_are_left_out_would_change_no_evidence(steps: list[tuple[int, int, Event, int]]) -> None:
    """In general: what the detector finds doesn't depend on announces that say nothing, whatever is remembered."""
    at = uploaded = 0
    facts = []
    for seconds, added, event, suppressed in steps:
        at, uploaded = at + seconds, uploaded + added
        facts.append(make_fact(at=at, uploaded=uploaded, event=event, suppressed=suppressed, address="a"))
    assert evidence_of(facts, says_something) == evidence_of(facts, lambda _: True)


def evidence_of(facts: Sequence[Fact], is_followed: Callable[[SettledFact], bool]) -> list[Evidence]:
    admitted, _ = admit(facts, {KEY.key_hash: KEY}, {info_hash_of("film"): Torrent(1, 10**9)})
    signals, evidence, parameters = None, list[Evidence](), DetectionParameters()
    for item in filter(is_followed, settle_facts(admitted, Stored(), Limits()).facts):
        signals, found = follow(signals, observe(item), Content(10**9), 1, parameters)
        evidence += found
    return evidence
