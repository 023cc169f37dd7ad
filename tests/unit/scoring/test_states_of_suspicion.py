"""States: points fade and add up; thresholds with hysteresis; an operator's decision beats them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_scoring.detection.attribution import choose_rows, inherit
from etracker_scoring.detection.points import score_of
from etracker_scoring.detection.records import Evidence, Suspicion
from etracker_scoring.detection.remembered import MOST_SESSIONS, SessionSignals, Signals, pack_signals, unpack_signals
from etracker_scoring.detection.signal_parameters import JITTER, VARIED, vary
from etracker_scoring.detection.states import conclude
from etracker_shared.agreements.anomalies import AnomalyState, Kind, Override, Verdict
from tests.support.detection import PARAMETERS

OK, SUSPECTED, CONFIRMED, CLEARED = AnomalyState
NOW = 1_700_000_000
HOUR = 3600
DAY = 24 * HOUR


def found(kind: Kind, points: float, at: int = NOW, torrent: int = 1, **data: float) -> Evidence:
    return Evidence(at, kind, points, torrent, "Because.", data, at // 7200, at // 7200, prefix=b"home")


def judged(*evidence: Evidence, before: Suspicion | None = None, now: int = NOW) -> Suspicion:
    return conclude(before, evidence, now, PARAMETERS)


@pytest.mark.parametrize(("points", "state"), [(39, OK), (40, SUSPECTED), (99, SUSPECTED), (100, CONFIRMED)])
def test_points_suspect_and_confirm(points: float, state: AnomalyState) -> None:
    assert judged(found(Kind.REDOWNLOAD, points)).state == state


def test_kinds_that_convict_nobody_do_not_do_so_together() -> None:
    """An honest seed with libtorrent's bug (left = size) that checks data in a swarm with peers on other trackers."""
    weak = (
        *(found(Kind.NO_DATA, 60), found(Kind.HIDDEN_ONCE, 24), found(Kind.SWARM_HIDDEN, 15, trusted=0)),
        *(found(Kind.SWARM_UPLOAD, 45, convicts=0), found(Kind.SWARM_UPLOAD, 45, torrent=2, convicts=0)),
    )
    assert judged(*weak).state == SUSPECTED
    assert judged(*weak, found(Kind.STARTED, 11)).state == CONFIRMED


def test_points_halve_in_two_days_and_a_suspicion_ends_below_15() -> None:
    suspected = judged(found(Kind.REDOWNLOAD, 60))
    later = judged(before=suspected, now=NOW + 2 * DAY)
    assert later.score == pytest.approx(30)
    assert (later.state, later.since) == (SUSPECTED, NOW)
    assert judged(before=later, now=NOW + 4 * DAY + HOUR).state == CLEARED


def test_evidence_that_comes_late_has_faded() -> None:
    assert judged(found(Kind.REDOWNLOAD, 60, NOW - 2 * DAY)).score == pytest.approx(30)


def test_a_confirmation_lasts_until_its_points_are_nearly_gone() -> None:
    confirmed = judged(found(Kind.CYCLE, 120))
    assert confirmed.verdict == Verdict.WASTE
    assert judged(before=confirmed, now=NOW + 5 * DAY).state == CONFIRMED
    ended = judged(before=confirmed, now=NOW + 7 * DAY)
    assert (ended.state, ended.verdict) == (CLEARED, None)


def test_a_confirmation_lasts_a_day_even_if_its_points_fall_away() -> None:
    confirmed = judged(found(Kind.CYCLE, 120))._replace(points={})
    assert judged(before=confirmed, now=NOW + DAY - 1).state == CONFIRMED
    assert judged(before=confirmed, now=NOW + DAY).state == CLEARED


def test_a_confirmation_ends_after_two_weeks_without_evidence() -> None:
    confirmed = Suspicion(CONFIRMED, Verdict.STATISTICS, 40_000, {"P:rate": 40_000}, NOW, NOW, NOW)
    assert judged(before=confirmed, now=NOW + 14 * DAY - 1).state == CONFIRMED
    ended = judged(before=confirmed, now=NOW + 14 * DAY)
    assert (ended.state, ended.score, ended.points) == (CLEARED, 0, {})


def test_each_kind_has_a_limit_and_fingerprints_together_have_one() -> None:
    fingerprints = [found(kind, 99) for kind in (Kind.CONSTANT_RATE, Kind.USER_AGENT, Kind.PORT)]
    assert judged(*fingerprints).score == 40
    assert score_of({"F:const": 30, "F:ua": 30}, PARAMETERS) == 45
    assert judged(found(Kind.MULTIPLES_OF_5, 999)).score == 110
    assert judged(*[found(Kind.NO_DATA, 8) for _ in range(99)]).state == SUSPECTED


def test_accusations_by_a_swarms_balance_are_levels_and_add_up_over_torrents() -> None:
    levels = [found(Kind.SWARM_UPLOAD, level, convicts=1) for level in (50, 60, 55)]
    assert judged(*levels).score == 60
    assert judged(*levels, found(Kind.SWARM_UPLOAD, 50, torrent=2, convicts=1)).state == CONFIRMED


def test_doubtful_accusations_never_confirm_however_many_torrents_there_are() -> None:
    doubtful = [found(Kind.SWARM_UPLOAD, 45, torrent=number, convicts=0) for number in range(9)]
    hidden = [found(Kind.SWARM_HIDDEN, 10, torrent=number, trusted=0) for number in range(9)]
    assert judged(*doubtful, *hidden).score == 45
    assert judged(*doubtful, found(Kind.SWARM_UPLOAD, 60, convicts=1)).score == 60


def test_a_stay_that_matches_an_imbalance_convicts_of_waste_only_by_an_operator() -> None:
    sink = [found(Kind.SWARM_SINK, 14, candidates=1) for _ in range(9)]
    suspected = judged(*sink)
    assert (suspected.state, suspected.score) == (SUSPECTED, 80)
    assert judged(found(Kind.USER_AGENT, 10), found(Kind.PORT, 10), before=suspected).verdict == Verdict.HIDDEN_DOWNLOAD
    assert judged(before=suspected._replace(override=Override.CONFIRMED)).verdict == Verdict.WASTE


def test_an_exempt_key_gathers_no_evidence() -> None:
    exempt = Suspicion(CONFIRMED, Verdict.WASTE, 120, {"P:cycle": 120}, NOW, NOW, NOW, Override.EXEMPT)
    after = judged(found(Kind.RATE, 50), before=exempt)
    assert (after.state, after.score, after.points, after.verdict) == (OK, 0, {}, None)


def test_clearing_mutes_the_kinds_there_were_until_it_ends() -> None:
    confirmed = judged(found(Kind.CYCLE, 120))
    cleared = confirmed._replace(override=Override.CLEARED, override_until=NOW + 7 * DAY, score=0.0)
    muted = judged(found(Kind.CYCLE, 120), before=cleared)
    assert (muted.state, muted.score) == (CLEARED, 0)
    assert judged(found(Kind.CYCLE, 120, NOW + DAY), before=muted, now=NOW + DAY).score == 0
    other = judged(found(Kind.RATE, 50), before=muted)
    assert (other.state, other.score) == (SUSPECTED, 50)
    assert judged(found(Kind.CYCLE, 120), found(Kind.RATE, 50), before=other).score == 100
    ended = judged(found(Kind.CYCLE, 120, NOW + 7 * DAY), before=muted, now=NOW + 7 * DAY)
    assert (ended.state, ended.override) == (CONFIRMED, None)


def test_an_operators_confirmation_lasts_until_its_date() -> None:
    decided = Suspicion(override=Override.CONFIRMED, override_until=NOW + DAY)
    confirmed = judged(before=decided)
    assert (confirmed.state, confirmed.verdict) == (CONFIRMED, Verdict.STATISTICS)
    assert judged(before=confirmed, now=NOW + DAY - 1).state == CONFIRMED
    assert judged(before=confirmed, now=NOW + DAY).state == CLEARED


@given(st.lists(st.tuples(st.sampled_from(list(Kind)), st.floats(0, 60), st.integers(0, 9 * DAY))))
def test_a_score_never_rises_without_evidence(evidence: list[tuple[Kind, float, int]]) -> None:
    suspicion = judged(*(found(kind, points, NOW + at) for kind, points, at in evidence), now=NOW + 9 * DAY)
    later = judged(before=suspicion, now=NOW + 10 * DAY)
    assert later.score <= suspicion.score + 1e-9
    assert judged(before=later, now=NOW + 30 * DAY).state in {OK, CLEARED}


def test_a_day_has_room_for_some_evidence_and_always_for_what_changes_a_state() -> None:
    evidence = [found(Kind.RATE, points) for points in range(30)]
    assert len(choose_rows(evidence, 0, PARAMETERS, is_new_state=False)) == 20
    assert choose_rows(evidence, 20, PARAMETERS, is_new_state=False) == []
    assert choose_rows(evidence, 20, PARAMETERS, is_new_state=True) == [evidence[-1]]


def test_a_new_key_at_the_same_address_inherits_half_the_points() -> None:
    confirmed = judged(found(Kind.CYCLE, 120))
    first = found(Kind.RATE, 0)
    inherited = judged(*inherit(confirmed, PARAMETERS, first))
    assert (inherited.state, inherited.score) == (SUSPECTED, 60)
    assert inherit(confirmed._replace(override=Override.CLEARED), PARAMETERS, first) == []
    assert inherit(Suspicion(), PARAMETERS, first) == []


@given(st.lists(st.tuples(st.sampled_from(list(Kind)), st.floats(0, 200), st.integers(0, 1)), max_size=30))
def test_what_is_inherited_is_half_the_score_at_most_and_confirms_nobody(
    evidence: list[tuple[Kind, float, int]],
) -> None:
    flags = {kind: {"convicts": flag, "trusted": flag} for kind, _, flag in evidence}
    former = judged(*(found(kind, points)._replace(data=flags[kind]) for kind, points, _ in evidence))
    heir = judged(*inherit(former, PARAMETERS, found(Kind.RATE, 0)))
    assert heir.state in {OK, SUSPECTED}
    assert heir.score <= former.score / 2 + 1


def numbers_for(fields: tuple[str, ...]) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*[st.integers(0, 2**63)] * len(fields))


SESSIONS = st.builds(
    lambda tag, numbers: SessionSignals(tag, *numbers),
    st.integers(0, 2**64 - 1),
    numbers_for(SessionSignals._fields[1:]),
)


@given(numbers_for(Signals._fields[:-1]), st.lists(SESSIONS, max_size=MOST_SESSIONS))
def test_packing_loses_nothing(numbers: tuple[int, ...], sessions: list[SessionSignals]) -> None:
    signals = Signals._make((*numbers, tuple(sessions)))
    assert unpack_signals(pack_signals(signals)) == signals


def test_what_is_usually_remembered_is_small() -> None:
    assert (
        len(pack_signals(Signals(downloaded=2**33, downloads=1, sessions=(SessionSignals(7, NOW, noted=2**33),)))) < 40
    )


def test_signals_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        unpack_signals(b"\x07")


def test_thresholds_differ_from_tracker_to_tracker_and_by_little() -> None:
    one, other = vary(PARAMETERS, b"one"), vary(PARAMETERS, b"other")
    assert one != other
    assert one == vary(PARAMETERS, b"one")
    for name in VARIED:
        assert abs(getattr(one, name) / getattr(PARAMETERS, name) - 1) <= JITTER
    assert one.confirm_points == PARAMETERS.confirm_points
