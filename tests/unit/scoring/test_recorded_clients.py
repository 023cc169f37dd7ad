"""Real programs' announces, stretched to days, through the detector.

The kind: what honest clients report looks like cheating to the detector, or what a broken or cheating one reports looks
honest.
"""

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from tests.support.fakers import FakeClient
from tests.support.recordings import files
from tests.support.recordings.files import Recording
from tests.support.recordings.replaying import replay, states
from tests.support.recordings.stretching import REAL_INTERVAL_SECONDS, START, Plan, stretch
from tests.support.recordings.tracker import Line, key_of, recording_tracker

DAY_SECONDS = 24 * 3600
SHORT = Plan(seconds=4 * DAY_SECONDS, people=2)
LONG = Plan(seconds=14 * DAY_SECONDS, people=12)
HONEST = [name for name in files.names() if not name.startswith(("broken-", "faker-"))]
SIZE = 4 * 2**30
LOOPBACK = IPv4Address("127.0.0.1")
INFO_HASH = bytes(range(20))


@pytest.mark.parametrize("name", ["transmission", "libtorrent", "dual-stack"])
def test_nobody_is_suspected_for_what_a_real_client_announces(name: str, tmp_path: Path) -> None:
    assert replay(stretch(files.load(name), SHORT), tmp_path) == []


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", HONEST)
def test_nobody_is_suspected_for_what_a_real_client_announces_in_two_weeks(name: str, tmp_path: Path) -> None:
    assert replay(stretch(files.load(name), LONG), tmp_path) == []


def test_a_client_whose_disk_loses_its_downloads_is_confirmed_and_its_seeder_is_not_suspected(tmp_path: Path) -> None:
    stretched = stretch(files.load("broken-disk"), Plan(seconds=4 * DAY_SECONDS, people=1, scales=(4,)))
    (went_through,) = states(replay(stretched, tmp_path)).values()
    assert went_through[:2] == ["suspected", "confirmed"]


@pytest.mark.parametrize(
    ("name", "state"), [("joal", "confirmed"), ("ratio-spoof", "confirmed"), ("ratioup", "confirmed")]
)
def test_a_tool_that_invents_uploads_is_found_by_what_it_announces(name: str, state: str, tmp_path: Path) -> None:
    torrent = {"info_hash": INFO_HASH.hex(), "size": SIZE, "piece_length": 2**22, "private": False}
    verdicts = replay(Recording([torrent], _announces_of(name, 2 * DAY_SECONDS)), tmp_path)
    assert state in states(verdicts)[key_of("faker")]


def _announces_of(name: str, seconds: int) -> list[Line]:
    """Send the announces of two days at once, and give each the time at which the tool sends it."""
    with recording_tracker() as tracker:
        client = FakeClient(name, tracker.url(LOOPBACK, "faker"), LOOPBACK, INFO_HASH)
        for passed in range(0, seconds, REAL_INTERVAL_SECONDS):
            client.announce(passed, SIZE)
        client.close()
    times = range(START, START + seconds, REAL_INTERVAL_SECONDS)
    return [{**line, "time": at} for line, at in zip(tracker.lines, times, strict=True)]


def test_a_stretched_recording_keeps_the_relations_of_its_counters() -> None:
    recording = files.load("libtorrent")
    stretched = stretch(recording, Plan(seconds=DAY_SECONDS, people=1, scales=(32,)))
    first, last = stretched.announces[0], stretched.announces[-1]
    assert last["time"] - first["time"] > DAY_SECONDS / 2
    for before, after in zip(recording.announces, stretched.announces, strict=False):
        assert (after["uploaded"], after["downloaded"]) == (32 * before["uploaded"], 32 * before["downloaded"])
        assert after["left"] in {32 * before["left"], before["left"]}
    assert {torrent["size"] for torrent in stretched.torrents} == {32 * recording.torrents[0]["size"]}
