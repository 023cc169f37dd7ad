"""Replay: the files it reads, what it says about wrong ones, and whom it flags."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.replay.__main__ import main
from etracker_scoring.replay.announces import AnnounceParser
from etracker_scoring.replay.catalogue import Catalogue
from etracker_scoring.replay.detector import Detector
from etracker_scoring.replay.files import open_source
from etracker_scoring.replay.reading import LogReader
from etracker_scoring.replay.torrents import read_torrents
from etracker_scoring.replay.verdicts import describe

START = 1_800_000_000
STEP = 1800
MIB = 2**20
SIZE = 4000 * MIB
INFO_HASH = "ab" * 20
GUEST = "-XX0001-guestguest12"

Line = dict[str, Any]


def line(at: float, **fields: Any) -> Line:
    """Make a line of a log; fields that are None are absent."""
    defaults: Line = {
        "time": START + at,
        "key": "honest",
        "ip": "198.51.100.7",
        "port": 6881,
        "info_hash": INFO_HASH,
        "peer_id": "-qB5020-abcdefghijkl",
        "uploaded": 0,
        "downloaded": 0,
        "left": 0,
        "numwant": 50,
        "user_agent": "qBittorrent/5.0.2",
    }
    return {name: value for name, value in (defaults | fields).items() if value is not None}


def faker(**fields: Any) -> Iterator[Line]:
    """A client whose upload counter falls again and again, without a restart."""
    who = {"key": "faker", "ip": "203.0.113.9", "peer_id": "-qB5020-fakefakefake"} | fields
    for step in range(24):
        yield line(step * STEP + 1, **who, uploaded=(300 if step % 2 else 40) * MIB + step * 1027)


def honest() -> Iterator[Line]:
    """A client that downloads a torrent, then seeds it, restarts, and announces over both address families."""
    for step in range(60):
        left = max(0, SIZE - step * 200 * MIB)
        event = "started" if step in {0, 40} else "completed" if step == 20 else None
        uploaded = (step - (40 if step >= 40 else 0)) * 3 * MIB + step % 7
        downloaded = 0 if step >= 40 else SIZE - left
        for ip, later in (("198.51.100.7", 0.0), ("2001:db8::7", 0.4)):
            counters = {"uploaded": uploaded, "downloaded": downloaded, "left": left}
            yield line(step * STEP + later, ip=ip, event=event, **counters)


class Files:
    """The files of a replay."""

    def __init__(self, directory: Path) -> None:
        self.announces = directory / "announces.jsonl"
        self.torrents = directory / "torrents.jsonl"
        self.out = directory / "verdicts.jsonl"

    def write(self, lines: list[Line]) -> None:
        torrent = {"info_hash": INFO_HASH, "size": SIZE, "piece_length": 4 * MIB, "private": True}
        self.torrents.write_text(json.dumps(torrent) + "\n")
        self.announces.write_text("".join(json.dumps(fields) + "\n" for fields in lines))

    def run(self) -> int:
        return main(["--announces", str(self.announces), "--torrents", str(self.torrents), "--out", str(self.out)])

    def verdicts(self) -> list[Line]:
        return [json.loads(verdict) for verdict in self.out.read_text().splitlines()]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path)
    made.write(sorted([*faker(), *honest()], key=lambda fields: fields["time"]))
    return made


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


def test_a_compressed_log_gives_the_same_verdicts(files: Files) -> None:
    files.run()
    plain = files.out.read_bytes()
    files.announces = files.announces.with_suffix(".jsonl.gz")
    files.announces.write_bytes(gzip.compress(files.announces.with_suffix("").read_bytes()))
    assert files.run() == 0
    assert files.out.read_bytes() == plain
    packed = files.out.with_suffix(".jsonl.gz")
    files.out = packed
    assert files.run() == 0
    assert gzip.decompress(packed.read_bytes()) == plain


def test_neither_lines_out_of_order_nor_other_ways_to_write_values_change_verdicts(files: Files) -> None:
    files.run()
    expected = files.verdicts()
    lines = [json.loads(text) for text in files.announces.read_text().splitlines()]
    for at in range(0, len(lines) - 1, 3):
        if lines[at + 1]["time"] - lines[at]["time"] < 30:
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
    changed = [
        fields | {"peer_id": fields["peer_id"].encode().hex(), "event": fields.get("event", ""), "ip": fields["ip"]}
        for fields in lines
    ]
    files.write(changed)
    assert files.run() == 0
    assert files.verdicts() == expected


@pytest.mark.parametrize("chunk_lines", [1, 7, 10_000])
def test_the_size_of_batches_changes_nothing(files: Files, chunk_lines: int) -> None:
    files.run()
    with open_source(str(files.torrents)) as source:
        catalogue = Catalogue(read_torrents(source))
    detector = Detector(catalogue, DetectionParameters())
    with open_source(str(files.announces)) as source:
        reader = LogReader(source, AnnounceParser(b"another secret", lambda *_: False), chunk_lines)
        changes = [change for chunk in reader.chunks() for change in detector.read(chunk)]
        changes += detector.finish()
    assert b"".join(describe(change, catalogue) for change in changes) == files.out.read_bytes()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("{", "it isn't JSON"),
        ("[]", "it isn't a JSON object"),
        ({"time": "yesterday"}, "time isn't in Unix seconds"),
        ({"time": None}, "time isn't in Unix seconds"),
        ({"info_hash": "ab"}, "info_hash isn't 40 hex digits"),
        ({"info_hash": ["ab"]}, "a field is of the wrong kind"),
        ({"peer_id": "short"}, "peer_id is neither 20 characters nor 40 hex digits"),
        ({"port": 65536}, "port isn't a port"),
        ({"uploaded": "much"}, "a counter isn't a number"),
        ({"key": 17}, "key isn't a string"),
        ({"key": "\ud800"}, "a field is of the wrong kind"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_left_out(
    files: Files, capsys: pytest.CaptureFixture[str], wrong: str | Line, reason: str
) -> None:
    text = wrong if isinstance(wrong, str) else json.dumps(line(0) | wrong)
    lines = files.announces.read_text().splitlines()
    files.announces.write_text("\n".join([lines[0], text, *lines[1:]]) + "\n")
    assert files.run() == 0
    said = capsys.readouterr().err
    assert f"line 2: {reason}" in said
    assert "1 lines couldn't be read" in said
    assert len(files.verdicts()) == 2


def test_a_file_of_another_format_is_refused(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    files.announces.write_text("time,key,ip\n" * 500)
    assert files.run() == 2
    assert "line 1: it isn't JSON" in capsys.readouterr().err
    assert not files.out.exists()


def test_a_wrong_line_about_a_torrent_is_refused(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    with files.torrents.open("a") as torrents:
        torrents.write(json.dumps({"info_hash": "cd" * 20, "size": "large"}) + "\n")
    assert files.run() == 2
    assert "line 2: size isn't a number of bytes" in capsys.readouterr().err


def test_missing_and_damaged_files_are_named(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    packed = gzip.compress(files.announces.read_bytes())
    files.announces.write_bytes(packed[: len(packed) // 2])
    assert files.run() == 2
    assert "the compressed data is damaged after line" in capsys.readouterr().err
    files.announces.unlink()
    assert files.run() == 2
    assert "announces.jsonl: No such file" in capsys.readouterr().err
    assert not list(files.out.parent.glob("*.unfinished"))


def test_thresholds_come_from_the_workers_variables(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETRACKER_ANOMALY_SUSPECT_POINTS", "100000")
    monkeypatch.setenv("ETRACKER_ANOMALY_CONFIRM_POINTS", "100000")
    assert files.run() == 0
    assert files.verdicts() == []


def test_no_message_contains_a_key_or_an_address(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    files.announces.write_text(files.announces.read_text() + json.dumps(line(0, port="secret")) + "\n")
    files.run()
    said = capsys.readouterr().err
    assert "port isn't a port" in said
    assert not [word for word in ("faker", "honest", "198.51.100", "2001:db8", "secret") if word in said]
