"""Replay: the ways to write a log that it understands, and what it says about wrong ones."""

import gzip
import json
from collections.abc import Callable

import pytest

from tests.support.replay import INFO_HASH, MIB, SIZE, STEP, Files, Line, line


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


def unchanged(fields: Line) -> Line:
    return fields


def hexadecimal(fields: Line) -> Line:
    return fields | {"peer_id": fields["peer_id"].encode().hex(), "info_hash": fields["info_hash"].upper()}


def numbers_as_strings(fields: Line) -> Line:
    return fields | {name: str(fields[name]) for name in ("time", "port", "uploaded", "downloaded", "left")}


def numbers_as_floats(fields: Line) -> Line:
    return fields | {name: float(fields[name]) for name in ("time", "uploaded", "downloaded", "left")}


def events_in_another_case(fields: Line) -> Line:
    return fields | {"event": fields.get("event", "").upper()}


def unknown_events(fields: Line) -> Line:
    return fields | {"event": fields.get("event", "empty"), "surprise": {"a": [None]}}


def without_what_is_optional(fields: Line) -> Line:
    return {name: value for name, value in fields.items() if name not in {"numwant", "user_agent", "port"}}


WAYS = (
    unchanged, hexadecimal, numbers_as_strings, numbers_as_floats, events_in_another_case, unknown_events,
    without_what_is_optional,
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_neither_lines_out_of_order_nor_other_ways_to_write_values_change_verdicts(
    files: Files, way: Callable[[Line], Line]
) -> None:
    files.run()
    expected = files.verdicts()
    lines = [json.loads(text) for text in files.announces.read_text().splitlines()]
    for at in range(0, len(lines) - 1, 3):
        if lines[at + 1]["time"] - lines[at]["time"] < 30:
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
    files.write([way(fields) for fields in lines])
    assert files.run() == 0
    assert files.verdicts() == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"uploaded": 2**63},
        {"uploaded": -1},
        {"uploaded": 10**400},
        {"uploaded": None, "downloaded": None, "left": None},
        {"left": 2**63 - 1},
        {"left": 2**80},
        {"left": -5},
        {"corrupt": -(2**63), "redundant": 2**64},
        {"ip": None, "port": None},
        {"ip": "not an address"},
        {"key": 17},
        {"peer_id": "ÿ" * 20},
        {"event": None, "numwant": "many"},
        {"user_agent": ""},
        {"info_hash": "cd" * 20},
        {"info_hash": "cd" * 32},
        {"time": 0},
    ],
    ids=str,
)
def test_odd_values_are_read_and_change_nothing_about_others(files: Files, fields: Line) -> None:
    files.run()
    expected = files.verdicts()
    odd = [line(step * STEP + 5, key="odd", peer_id="-qB5020-oddoddoddodd") | fields for step in range(3)]
    given = [json.loads(text) for text in files.announces.read_text().splitlines()]
    files.write(sorted([*given, *odd], key=lambda fields: fields["time"]))
    assert files.run() == 0
    assert [verdict for verdict in files.verdicts() if verdict["key"] == "faker"] == expected


def test_blank_lines_and_other_line_ends_are_no_unreadable_lines(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    files.run()
    expected = files.verdicts()
    lines = files.announces.read_text().splitlines()
    files.announces.write_text("\r\n\r\n".join(["\ufeff" + lines[0], *lines[1:]]), newline="")
    capsys.readouterr()
    assert files.run() == 0
    assert files.verdicts() == expected
    assert "couldn't be read" not in capsys.readouterr().err


def test_a_target_that_cannot_be_written_is_refused_before_the_log_is_read(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    files.announces.write_text("broken\n")
    files.out.mkdir()
    assert files.run() == 2
    assert "is a directory" in capsys.readouterr().err


def test_the_log_is_never_overwritten(files: Files) -> None:
    text = files.announces.read_bytes()
    files.out = files.announces
    assert files.run() == 2
    assert files.announces.read_bytes() == text


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
        ({"port": 1.5}, "port isn't a port"),
        ({"key": 1.5}, "key is neither a string nor a number"),
        ({"ip": 1.5}, "ip isn't a string"),
        ({"ip": 5}, "ip isn't a string"),
        ({"user_agent": 7}, "user_agent isn't a string"),
        ({"uploaded": []}, "a field is of the wrong kind"),
        ({"event": ["started"]}, "a field is of the wrong kind"),
        ({"time": float("nan")}, "time isn't in Unix seconds"),
        ('{"time": 1, "peer_id": "' + chr(0) + '"}', "it isn't JSON"),
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


@pytest.mark.parametrize("size", ["large", -1, 0.5, float("nan"), float("inf"), 2**64, [1]])
def test_a_wrong_line_about_a_torrent_is_refused(
    files: Files, capsys: pytest.CaptureFixture[str], size: object
) -> None:
    with files.torrents.open("a") as torrents:
        torrents.write(json.dumps({"info_hash": "cd" * 20, "size": size}) + "\n")
    assert files.run() == 2
    assert "line 2: size isn't a number of bytes" in capsys.readouterr().err


def test_missing_and_damaged_files_are_named(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    files.announces.write_bytes(gzip.compress(b"")[:-5])
    assert files.run() == 2
    assert "the compressed data is damaged" in capsys.readouterr().err
    files.announces.unlink()
    assert files.run() == 2
    assert "announces.jsonl: No such file" in capsys.readouterr().err
    assert not list(files.out.parent.glob("*.unfinished"))


def test_what_came_before_damaged_data_is_judged(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    expected = files.run() or files.verdicts()
    packed = gzip.compress(files.announces.read_bytes())
    files.announces.write_bytes(packed[:-9])
    assert files.run() == 1
    assert files.verdicts() == expected
    assert "the compressed data is damaged after line 1" in capsys.readouterr().err
    files.torrents.write_bytes(gzip.compress(files.torrents.read_bytes())[:-9])
    assert files.run() == 2


@pytest.mark.parametrize(
    "fields", [{"size": str(SIZE), "piece_length": 4.0 * MIB}, {"private": None}, {"private": "TRUE"}, {"private": 0}]
)
def test_other_ways_to_describe_a_torrent_are_understood(files: Files, fields: Line) -> None:
    known = {"info_hash": INFO_HASH.upper(), "size": SIZE, "piece_length": 4 * MIB, "private": True, "name": "film"}
    files.torrents.write_text(json.dumps({**known, **fields}) + "\r\n\r\n")
    assert files.run() == 0
    assert len(files.verdicts()) == 2


def test_no_message_contains_a_key_or_an_address(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    files.announces.write_text(files.announces.read_text() + json.dumps(line(0, port="secret")) + "\n")
    files.run()
    said = capsys.readouterr().err
    assert "port isn't a port" in said
    assert not [word for word in ("faker", "honest", "198.51.100", "2001:db8", "secret") if word in said]
