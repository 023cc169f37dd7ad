"""Honest clients with odd reports: what is on record of them, and anything else an honest client may do."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etracker_shared.agreements.anomalies import AnomalyState
from etracker_shared.agreements.facts import Event, Fact
from tests.support.detection import HALF_HOUR, MIB, SIZE, Watch
from tests.support.facts import make_fact

NO_METADATA = (16384, 2**63 - 1)


def _report(number: float, **fields: object) -> Fact:
    return make_fact(**{"at": number * HALF_HOUR, "address": "home", "port": 6881, **fields})


def dual_stack() -> list[Fact]:
    return [
        _report(number + place / 100, uploaded=number * 91 * MIB, left=SIZE - share, downloaded=share, address=address)
        for number in range(9)
        for place, address in enumerate(("four", "six"))
        for share in (number * SIZE // 8,)
    ]


def completed_after_check() -> list[Fact]:
    events = (Event.STARTED, Event.STARTED, Event.COMPLETED, Event.REGULAR, Event.STOPPED, Event.STARTED)
    return [_report(number, event=event) for number, event in enumerate((*events, Event.COMPLETED))]


def counted_whole_torrent() -> list[Fact]:
    return [_report(number, downloaded=0 if number < 3 else SIZE * 5) for number in range(9)]


def back_after_a_day() -> list[Fact]:
    before = [_report(number, downloaded=number * SIZE // 8, left=SIZE - number * SIZE // 8) for number in range(3)]
    return before + [_report(50 + number, downloaded=3 * SIZE, uploaded=2**41, left=0) for number in range(9)]


def partial_leecher() -> list[Fact]:
    return [_report(number, uploaded=number * 77 * MIB, left=SIZE // 3, event=Event.PAUSED) for number in range(48)]


def lonely_aria2() -> list[Fact]:
    return [_report(number / 15, left=SIZE) for number in range(15 * 48)]


def magnet(unknown: int) -> list[Fact]:
    left = [unknown, SIZE // 2, SIZE // 3, 0]
    got = [0, SIZE // 2, SIZE - SIZE // 3, SIZE]
    return [
        _report(number, left=left[number], downloaded=got[number], event=Event.STARTED if not number else Event.REGULAR)
        for number in range(4)
    ]


def magnet_without_metadata_for_long() -> list[Fact]:
    """A client that goes on saying what it has left without metadata until it has everything."""
    left, got = (16384, 16384, 0, 0), (0, SIZE, SIZE, SIZE)
    times = (0, 1, 1.1, 1.5)
    return [_report(at, left=left[number], downloaded=got[number]) for number, at in enumerate(times)]


def webtorrent_restarts() -> list[Fact]:
    events = (Event.STARTED, Event.COMPLETED, Event.REGULAR, Event.STOPPED)
    return [
        _report(4 * number + place, event=event, left=0, uploaded=number * MIB * (event != Event.STOPPED))
        for number in range(9)
        for place, event in enumerate(events)
    ]


def cross_seeding() -> list[Fact]:
    return [
        _report(number, left=left, torrent=torrent)
        for torrent in ("film", "music", "text")
        for number, left in enumerate((SIZE, 0, 0))
    ]


def lost_and_found_again() -> list[Fact]:
    return [_report(number, left=SIZE if number % 4 == 3 else 0) for number in range(40)]


def two_deselections() -> list[Fact]:
    return [_report(number, left=SIZE - number * SIZE // 4) for number in range(3)]


def checked_whenever_it_starts() -> list[Fact]:
    """A client that checks its data after each start. The announces while it checks get lost."""
    return [
        _report(3 * number + place, left=left, event=event)
        for number in range(4)
        for place, (left, event) in enumerate(((SIZE, Event.STARTED), (0, Event.REGULAR)))
    ]


def webtorrent_counts_what_it_finds() -> list[Fact]:
    return [
        _report(
            number + place / 20,
            left=SIZE - place * SIZE,
            downloaded=place * SIZE,
            event=(Event.STARTED, Event.COMPLETED)[place],
            peer_id=b"-WW0300-%012d" % number,
        )
        for number in range(9)
        for place in range(2)
    ]


def ctorrent_checks_after_each_start() -> list[Fact]:
    """It says that it has nothing until it has checked, which takes some minutes."""
    return [
        _report(48 * day + place / 2, left=left, torrent=torrent, event=event, peer_id=b"-CD0303-%012d" % (day % 9))
        for torrent in ("film", "music")
        for day in range(14)
        for place, left, event in ((0, SIZE, Event.STARTED), (1, 0, Event.REGULAR), (2, 0, Event.STOPPED))
    ]


def corrected_counter() -> list[Fact]:
    """A client that counts three torrents in one announce, in the middle of a download."""
    shares = range(5)
    extra = [0, 0, 3 * SIZE, 3 * SIZE, 3 * SIZE]
    return [
        _report(share, left=SIZE - share * SIZE // 4, downloaded=share * SIZE // 4 + extra[share]) for share in shares
    ]


def late_progress() -> list[Fact]:
    """A client whose counter is ahead of what it has left, which it corrects a moment later."""
    return [
        _report(number + place / 900, downloaded=downloaded, left=left)
        for number in range(3)
        for place, downloaded, left in (
            (0, number * SIZE, SIZE),
            (1, number * SIZE + SIZE * 3 // 4, SIZE),
            (2, (number + 1) * SIZE, 0),
        )
    ][:3]


def started_every_day() -> list[Fact]:
    """Three torrents of a client that keeps its peer_id, on a machine that is switched off every evening."""
    return [
        _report(day * 48, event=Event.STARTED, torrent=torrent)
        for torrent in ("film", "music", "text")
        for day in range(14)
    ]


def unanswered(event: Event, pauses: list[float]) -> list[Fact]:
    """A client whose requests get lost sends the same event again, after ever longer pauses."""
    times = [1 + sum(pauses[:number]) / HALF_HOUR for number in range(len(pauses) + 1)]
    return [_report(0), *(_report(at, event=event, left=0, uploaded=7, downloaded=SIZE) for at in times)]


@pytest.mark.parametrize(
    "facts",
    [
        dual_stack(),
        completed_after_check(),
        counted_whole_torrent(),
        back_after_a_day(),
        partial_leecher(),
        lonely_aria2(),
        magnet(NO_METADATA[0]),
        magnet(NO_METADATA[1]),
        magnet_without_metadata_for_long(),
        webtorrent_restarts(),
        cross_seeding(),
        lost_and_found_again(),
        checked_whenever_it_starts(),
        webtorrent_counts_what_it_finds(),
        ctorrent_checks_after_each_start(),
        corrected_counter(),
        late_progress(),
        started_every_day(),
        unanswered(Event.STARTED, [4, 10, 20, 40, 80, 160, 320]),
        unanswered(Event.STARTED, [0.2] * 6),
        unanswered(Event.COMPLETED, [20, 300, 900, 1800, 3600, 7200]),
        unanswered(Event.STARTED, [120] * 8),
    ],
    ids=[
        "dual stack", "completed after a check", "whole torrent counted", "back after a day", "partial leecher",
        "lonely aria2", "libtorrent magnet", "Transmission magnet", "long magnet", "webtorrent",
        "cross-seeding", "lost and found",
        "checked again and again", "webtorrent counts",
        "ctorrent checks", "corrected counter", "late progress", "started every day",
        "rtorrent unanswered", "Transmission unanswered", "completed unanswered", "aria2 unanswered",
    ],
)  # fmt: skip
def test_an_honest_client_with_odd_reports_is_not_suspected(facts: list[Fact]) -> None:
    watch = Watch()
    watch.see(facts)
    assert watch.highest < 40, watch.evidence


def test_a_seeder_that_reports_everything_as_left_is_suspected_at_most() -> None:
    facts = [_report(number, uploaded=number * 91 * MIB + 1, left=SIZE) for number in range(300)]
    watch = Watch()
    assert watch.see(facts).state <= AnomalyState.SUSPECTED
    assert watch.highest < 100


def test_a_client_whose_user_deselects_files_twice_is_suspected_at_most() -> None:
    assert Watch().see(two_deselections()).state <= AnomalyState.SUSPECTED


@dataclass
class Client:
    """An honest client, and the facts of what it announces. Counters begin at zero when it is restarted."""

    at: float = 0.0
    uploaded: int = 3
    downloaded: int = 0
    corrupt: int = 0
    left: int = SIZE
    restarts: int = 0
    deselected: bool = False
    facts: list[Fact] = field(default_factory=list)

    def announce(self, event: Event = Event.REGULAR, *, arrives: bool = True) -> None:
        if not arrives:
            return
        for place in range(2):
            self.at += 0.001
            self.facts.append(
                _report(
                    self.at,
                    uploaded=self.uploaded,
                    downloaded=self.downloaded,
                    corrupt=self.corrupt,
                    left=self.left,
                    event=event,
                    peer_id=b"-qB5100-%012d" % self.restarts,
                    address=f"home{place}",
                )
            )

    def transfer(self, share: int, *, arrives: bool) -> None:
        self.at += 1
        got = min(self.left, share * SIZE // 100)
        self.downloaded, self.left = self.downloaded + got, self.left - got
        self.corrupt += got // 50
        self.uploaded += share * 1_234_567 + self.left % 3 + 1
        finished = got and not self.left
        self.announce(Event.COMPLETED if finished else Event.REGULAR, arrives=arrives)

    def restart(self, *, arrives: bool) -> None:
        self.announce(Event.STOPPED, arrives=arrives)
        self.uploaded, self.downloaded, self.corrupt, self.restarts = 0, 0, 0, self.restarts + 1
        self.at += 0.01
        self.announce(Event.STARTED)

    def pause(self, *, arrives: bool) -> None:
        self.announce(Event.STOPPED, arrives=arrives)
        self.uploaded = self.downloaded = self.corrupt = 0
        self.at += 1
        self.announce(Event.STARTED)

    def check(self, share: int) -> None:
        lost = min(SIZE - self.left, share * SIZE // 400)
        self.left += lost
        self.at += 0.1
        self.announce()

    def deselect(self) -> None:
        if not self.deselected:
            self.left -= self.left // 4
            self.deselected = True
        self.announce()

    def wait(self, hours: int) -> None:
        self.at += hours * 2
        self.announce()


_DEEDS = st.tuples(st.sampled_from("ttttttrpcfdw"), st.integers(1, 30), st.booleans())


def _live(deeds: list[tuple[str, int, bool]]) -> list[Fact]:
    client = Client()
    client.announce(Event.STARTED)
    for deed, share, arrives in deeds:
        match deed:
            case "t":
                client.transfer(share, arrives=arrives or share % 3 > 0)
            case "r":
                client.restart(arrives=arrives)
            case "p":
                client.pause(arrives=arrives)
            case "c":
                client.check(share)
            case "f":
                client.announce()
            case "d":
                client.deselect()
            case _:
                client.wait(share)
    return client.facts


@settings(deadline=None)
@given(st.lists(_DEEDS, min_size=10, max_size=60))
def test_an_honest_client_is_never_suspected_whatever_it_does(deeds: list[tuple[str, int, bool]]) -> None:
    watch = Watch()
    watch.see(_live(deeds))
    assert watch.highest < 40, [found.text for found in watch.evidence]


@settings(deadline=None)
@given(st.lists(_DEEDS, min_size=10, max_size=40))
def test_the_same_facts_lead_to_the_same_evidence(deeds: list[tuple[str, int, bool]]) -> None:
    one, other = Watch(), Watch()
    facts = _live(deeds)
    assert one.see(facts) == other.see(facts)
    assert (one.evidence, one.signals) == (other.evidence, other.signals)
