"""Tools that fake statistics, as they report: each is found by what it leaves behind, or it is known not to be."""

from random import Random

import pytest

from etracker_scoring.detection.records import Suspicion
from etracker_shared.agreements.anomalies import AnomalyState, Verdict
from etracker_shared.agreements.facts import Event, Fact, FactFlag
from tests.support.detection import HALF_HOUR, MIB, PIECE, SIZE, TORRENTS, Watch
from tests.support.facts import make_fact

CONFIRMED, SUSPECTED, OK = AnomalyState.CONFIRMED, AnomalyState.SUSPECTED, AnomalyState.OK


def _announce(number: int, **fields: object) -> Fact:
    event = Event.STARTED if number == 0 else Event.REGULAR
    return make_fact(**{"at": number * HALF_HOUR, "event": event, "address": "home", "port": 6881, **fields})


def joal(steps: int, torrents: tuple[str, ...] = TORRENTS) -> list[Fact]:
    draw, facts = Random(5), []
    for torrent in torrents:
        uploaded = 0
        for number in range(steps):
            facts.append(_announce(number, uploaded=uploaded, torrent=torrent, port=49152, left=0))
            uploaded += 5 * draw.randrange(30_000, 170_000) * 360
    return facts


def ratio_master(steps: int) -> list[Fact]:
    draw = Random(6)
    rates = [sum(100 + draw.randint(1, 10) for _ in range(HALF_HOUR)) * 1024 // 16384 * 16384 for _ in range(steps)]
    return [_announce(number, uploaded=sum(rates[:number])) for number in range(steps)]


def ratio_master_rs(steps: int) -> list[Fact]:
    draw = Random(7)
    regular = [
        _announce(number, uploaded=number * 180 * MIB + draw.randrange(9 * MIB), downloaded=SIZE)
        for number in range(steps)
    ]
    return [*regular, make_fact(at=1, downloaded=SIZE, event=Event.COMPLETED, address="home", port=6881)]


def rustatio(steps: int) -> list[Fact]:
    draw = Random(8)
    grown = [draw.randrange(80 * MIB, 120 * MIB) for _ in range(steps)]
    return [_announce(number, uploaded=sum(grown[:number])) for number in range(steps)]


def ratio_spoof(steps: int) -> list[Fact]:
    return [_announce(number, uploaded=number**2 * 16384, event=Event.STARTED, port=8999) for number in range(steps)]


def ratio_up(steps: int) -> list[Fact]:
    draw = Random(9)
    return [_announce(number, uploaded=draw.randrange(54_000_000, 306_000_000)) for number in range(steps)]


def seedmage(steps: int) -> list[Fact]:
    return [_announce(number, uploaded=number * 91 * MIB + 1, left=SIZE) for number in range(steps)]


def hiding_proxy(steps: int) -> list[Fact]:
    return [_announce(number, uploaded=number * 7 * MIB + 1, left=SIZE - number * SIZE // 8) for number in range(steps)]


def transmission_ratio_master(torrents: tuple[str, ...]) -> list[Fact]:
    return [
        make_fact(at=at + stop, uploaded=SIZE * stop, torrent=torrent, address="home", event=event)
        for at, torrent in enumerate(torrents)
        for stop, event in ((0, Event.STARTED), (1, Event.STOPPED))
    ]


def greedy(steps: int) -> list[Fact]:
    draw = Random(10)
    grown = [draw.randrange(700 * MIB) for _ in range(steps)]
    return [_announce(number, uploaded=sum(grown[:number]) * 5 // 4) for number in range(steps)]


def cycler(cycles: int) -> list[Fact]:
    return [
        _announce(
            cycle * 6 + number,
            peer_id=b"-UT3320-%012d" % cycle,
            downloaded=number * SIZE // 20,
            left=SIZE - number * SIZE // 20,
            event=Event.STARTED if number == 0 else Event.REGULAR,
        )
        for cycle in range(cycles)
        for number in range(6)
    ]


def broken(steps: int, *, corrupt: bool) -> list[Fact]:
    bad = "corrupt" if corrupt else "downloaded"
    return [_announce(number, left=SIZE // 2, **{bad: number * SIZE // 10}) for number in range(steps)]


def restarted(tool: list[Fact], every: int) -> list[Fact]:
    """Return what a tool that multiplies by 5 reports if it is restarted after so many announces."""
    begins = [tool[number - number % every].uploaded for number in range(len(tool))]
    return [
        _announce(
            number,
            uploaded=fact.uploaded - begins[number],
            peer_id=b"-qB5100-%012d" % (number // every),
            event=Event.REGULAR if number % every else Event.STARTED,
        )
        for number, fact in enumerate(tool)
    ]


def from_two_addresses(facts: list[Fact]) -> list[Fact]:
    """Return what a dual-stack client announces: the same over both address families, one right after the other."""
    other = make_fact(address="home6").address_hash
    return [one for fact in facts for one in (fact, fact._replace(at_ms=fact.at_ms + 1000, address_hash=other))]


def fast_and_broken(*, corrupt: bool) -> list[Fact]:
    """Download a torrent between a few announces, with 70 % of the data failing its check."""
    done = [share * SIZE // 4 for share in range(5)]
    got = [{"corrupt": bad * 7 // 3, "downloaded": bad} if corrupt else {"downloaded": bad * 10 // 3} for bad in done]
    return [_announce(number, left=SIZE - done[number], **got[number]) for number in range(5)]


def event_spam(seconds: int, hours: int) -> list[Fact]:
    return [
        make_fact(at=at, event=Event.COMPLETED if at else Event.STARTED, address="home", port=6881)
        for at in range(0, hours * 3600, seconds)
    ]


@pytest.mark.parametrize(
    ("facts", "state", "kinds"),
    [
        (joal(14), CONFIRMED, {"F:mod5", "F:port"}),
        (joal(30, ("film",)), CONFIRMED, {"F:mod5", "F:port"}),
        (restarted(joal(42, ("film",)), 14), CONFIRMED, {"F:mod5"}),
        (restarted(joal(42, ("film",)), 5), CONFIRMED, {"F:mod5"}),
        (joal(9), SUSPECTED, {"F:mod5", "F:port"}),
        (event_spam(120, 6), CONFIRMED, {"E:completed", "E:flood"}),
        (event_spam(600, 6), CONFIRMED, {"E:completed"}),
        (ratio_master(40), OK, {"F:const"}),
        (ratio_master_rs(60), OK, set()),
        (rustatio(60), OK, set()),
        (ratio_spoof(14), CONFIRMED, {"E:started"}),
        (ratio_up(24), CONFIRMED, {"P:sawtooth"}),
        (seedmage(60), SUSPECTED, {"P:nodata", "F:const"}),
        (hiding_proxy(6), CONFIRMED, {"P:hidden", "P:hidden1"}),
        (transmission_ratio_master(("film",)), SUSPECTED, {"P:rate"}),
        (transmission_ratio_master(("film", "music", "text")), CONFIRMED, {"P:rate"}),
        (greedy(60), OK, set()),
        (cycler(16), CONFIRMED, {"P:cycle"}),
        (broken(20, corrupt=False), CONFIRMED, {"P:redownload"}),
        (broken(20, corrupt=True), CONFIRMED, {"P:redownload"}),
        (fast_and_broken(corrupt=False), CONFIRMED, {"P:redownload"}),
        (fast_and_broken(corrupt=True), CONFIRMED, {"P:redownload"}),
        (from_two_addresses(event_spam(300, 2)), CONFIRMED, {"E:completed"}),
        (from_two_addresses(ratio_spoof(14)), CONFIRMED, {"E:started"}),
        (from_two_addresses(ratio_up(24)), CONFIRMED, {"P:sawtooth"}),
        (from_two_addresses(joal(30, ("film",))), CONFIRMED, {"F:mod5", "F:port"}),
        (from_two_addresses(hiding_proxy(6)), CONFIRMED, {"P:hidden", "P:hidden1"}),
        (from_two_addresses(broken(20, corrupt=True)), CONFIRMED, {"P:redownload"}),
    ],
    ids=[
        "joal", "joal, one torrent", "joal, restarted", "joal, often restarted",
        "joal, a few hours", "event every 2 minutes", "event every 10 minutes",
        "ratio_master", "ratio_master_rs", "rustatio", "ratio_spoof", "ratio_up",
        "seedmage", "proxy", "transmission_ratio_master", "the same, again", "greedy", "cycler", "broken", "corrupt",
        "fast and broken", "fast and corrupt", "event from two addresses", "ratio_spoof from two", "ratio_up from two",
        "joal from two", "proxy from two", "corrupt from two",
    ],
)  # fmt: skip
def test_a_tool_is_found_by_what_it_leaves_behind(facts: list[Fact], state: AnomalyState, kinds: set[str]) -> None:
    watch = Watch()
    suspicion = watch.see(facts)
    assert (suspicion.state, watch.kinds()) == (state, kinds)
    assert all(found.text.isascii() and found.text.endswith(".") for found in watch.evidence)


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (joal(14), Verdict.STATISTICS),
        (hiding_proxy(6), Verdict.HIDDEN_DOWNLOAD),
        (cycler(16), Verdict.WASTE),
        (broken(20, corrupt=False), Verdict.WASTE),
    ],
)
def test_the_verdict_says_what_kind_of_harm_was_done(facts: list[Fact], verdict: Verdict) -> None:
    assert Watch().see(facts).verdict == verdict


def test_a_client_that_floods_the_tracker_with_events_is_confirmed_within_two_hours() -> None:
    events = (Event.STARTED, Event.COMPLETED, Event.REGULAR)
    facts = [_announce(0, at=number * 240, event=events[number % 3], uploaded=number) for number in range(30)]
    watch = Watch()
    assert watch.see(facts).state == CONFIRMED
    assert watch.kinds() >= {"E:started", "E:completed"}


def test_more_than_fifteen_announces_in_an_hour_are_a_flood_even_if_most_are_suppressed() -> None:
    seen = [_announce(number, at=number * 900, suppressed=10 * bool(number)) for number in range(4)]
    watch = Watch()
    watch.see(seen)
    assert [found.kind.value for found in watch.evidence] == ["E:flood"]


def test_a_foreign_user_agent_is_held_against_a_session_once() -> None:
    watch = Watch()
    suspicion = watch.see([_announce(number, flags=FactFlag.FOREIGN_USER_AGENT) for number in range(9)])
    assert (suspicion, len(watch.evidence)) == (suspicion._replace(state=OK, verdict=None), 1)


@pytest.mark.parametrize(
    ("size", "piece_length"), [(None, PIECE), (49_000_000, PIECE)], ids=["unknown size", "too small"]
)
def test_downloads_are_not_compared_in_a_torrent_of_unknown_or_small_size(size: int | None, piece_length: int) -> None:
    watch = Watch(size, piece_length)
    largest = size or SIZE
    facts = [_announce(number, left=largest - number * largest // 8) for number in range(8)]
    again = [_announce(number, downloaded=number * largest // 2, left=largest) for number in range(8, 30)]
    assert watch.see(facts + again) == Suspicion()


def test_uploads_that_are_divisible_by_5_because_the_torrent_is_prove_nothing() -> None:
    size = 60_000_000
    watch = Watch(size, PIECE)
    assert watch.see([_announce(number, uploaded=number**2 * size) for number in range(40)]) == Suspicion()
