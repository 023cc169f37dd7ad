"""Replay: whom it flags, and the order in which it reads."""

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.replay.announces import AnnounceParser
from etracker_scoring.replay.catalogue import Catalogue
from etracker_scoring.replay.detector import Detector
from etracker_scoring.replay.files import open_source
from etracker_scoring.replay.reading import LogReader
from etracker_scoring.replay.sorting import sort_lines
from etracker_scoring.replay.torrents import read_torrents
from etracker_scoring.replay.verdicts import describe
from tests.support.replay import GUEST, INFO_HASH, START, STEP, Files, faker, line


def test_a_faker_is_suspected_then_confirmed_and_an_honest_client_is_not(files: Files) -> None:
    assert files.run() == 0
    first, second = files.verdicts()
    assert (first["key"], first["state"]) == ("faker", "suspected")
    assert (second["key"], second["state"]) == ("faker", "confirmed")
    assert START < first["time"] < second["time"] <= START + 24 * STEP
    assert second["score"] >= 100
    assert second["kinds"][0] == "P:sawtooth"
    assert list(second["points"]) == second["kinds"]
    assert INFO_HASH in second["text"]


def test_what_has_faded_is_cleared(files: Files) -> None:
    weeks = [line(day * 86_400, key="honest") for day in range(25)]
    files.write(sorted([*faker(), *weeks], key=lambda fields: fields["time"]))
    assert files.run() == 0
    assert [verdict["state"] for verdict in files.verdicts()] == ["suspected", "confirmed", "cleared"]


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_an_announce_is_a_guests(files: Files, key: str | None) -> None:
    files.write(list(faker(key=key, peer_id=GUEST)))
    assert files.run() == 0
    verdict = files.verdicts()[-1]
    assert verdict["key"] is None
    assert len(verdict["guest"]) == 32


def test_a_log_that_is_not_in_order_is_sorted_first(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    many = [line(number * 5 + 0.5, key=f"idle {number}") for number in range(9000)]
    files.write(sorted([*faker(), *many], key=lambda fields: fields["time"]))
    files.run()
    expected = files.verdicts()
    lines = files.announces.read_text().splitlines()
    Random(1).shuffle(lines)
    files.announces.write_text("\n".join([*lines, "broken"]) + "\n")
    assert files.run() == 0
    assert files.verdicts() == expected
    said = capsys.readouterr().err
    assert "isn't in order of time: its lines were sorted first" in said
    assert f"line {len(lines) + 1}: it isn't JSON" in said


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 7))
def test_lines_are_sorted_by_time_and_number_whatever_fits_into_memory(times: list[int], run_lines: int) -> None:
    lines = [(number, b'{"time": %d}\n' % at) for number, at in enumerate(times)]
    assert list(sort_lines(lines, run_lines)) == sorted(lines, key=lambda line: json.loads(line[1])["time"])


def test_lines_without_a_time_stay_behind_the_line_before() -> None:
    lines = list(enumerate([b'{"time": 5}', b"[", b'{"time": 1}', b'{"time": []}']))
    assert [number for number, _ in sort_lines(lines)] == [2, 3, 0, 1]


def test_an_empty_log_gives_no_verdicts(files: Files) -> None:
    files.announces.write_text("")
    files.torrents.write_text("")
    assert files.run() == 0
    assert files.verdicts() == []


def test_torrents_that_nobody_described_are_followed_and_counted(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    files.torrents.write_text("")
    assert files.run() == 0
    assert [verdict["state"] for verdict in files.verdicts()] == ["suspected", "confirmed"]
    assert "Torrents of the log that aren't in their file: 1." in capsys.readouterr().err


@pytest.mark.parametrize("chunk_lines", [1, 7, 10_000])
def test_the_size_of_batches_changes_nothing(files: Files, chunk_lines: int) -> None:
    files.run()
    with open_source(str(files.torrents)) as source:
        catalogue = Catalogue(read_torrents(source))
    detector = Detector(catalogue, DetectionParameters())
    with open_source(str(files.announces)) as source:
        parser = AnnounceParser(b"another secret", lambda *_: False)
        reader = LogReader("log", source.lines(), parser, chunk_lines)
        changes = [change for chunk in reader.chunks() for change in detector.read(chunk)]
        changes += detector.finish()
    assert b"".join(describe(change, catalogue) for change in changes) == files.out.read_bytes()


def test_thresholds_come_from_the_workers_variables(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETRACKER_ANOMALY_SUSPECT_POINTS", "100000")
    monkeypatch.setenv("ETRACKER_ANOMALY_CONFIRM_POINTS", "100000")
    assert files.run() == 0
    assert files.verdicts() == []
