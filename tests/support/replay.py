"""The log of a faker and an honest client, and the files of its replay."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from etracker_scoring.replay.__main__ import main

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
