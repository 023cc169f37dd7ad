"""Stretch a recording of a minute or two to a log of days or weeks: a pure function.

The recording tracker's interval becomes a real one, the contents become as large as real ones, and the counters with
them. A life is lived again and again: by other people at the same time, and by the same ones with other torrents
afterwards. What clients report, in which order, and how their counters relate, stays as it was recorded.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from tests.support.recordings.files import Recording
from tests.support.recordings.tracker import INTERVAL_SECONDS, Line

REAL_INTERVAL_SECONDS = 1800
SLOWER = REAL_INTERVAL_SECONDS // INTERVAL_SECONDS
START = 1_760_000_000
BREAK_SECONDS = 4 * 3600
"""Between two lives of the same people."""

_COUNTERS = ("uploaded", "downloaded", "left", "corrupt", "redundant")
_METADATA_LEFT = 16384
_UNKNOWN_LEFT = 2**60


@dataclass(frozen=True, slots=True)
class Plan:
    """``seconds``: how long the log is. ``people``: how many live side by side. ``scales``: how much larger contents

    become; every further person has the next one.
    """

    seconds: int
    people: int
    scales: tuple[int, ...] = (4, 32, 256)


def stretch(recording: Recording, plan: Plan) -> Recording:
    """Return the log, ordered by time."""
    torrents: list[dict[str, Any]] = []
    announces: list[Line] = []
    for copy in _copies(recording, plan):
        torrents += [copy.torrent(torrent) for torrent in recording.torrents]
        announces += [copy.announce(line) for line in recording.announces]
    end = START + plan.seconds
    announces = [line for line in announces if line["time"] < end]
    return Recording(torrents, sorted(announces, key=lambda line: float(line["time"])))


@dataclass(frozen=True, slots=True)
class _Copy:
    """One life of one group of people."""

    person: int
    life: int
    recorded_start: float
    start: float
    scale: int

    def torrent(self, torrent: dict[str, Any]) -> dict[str, Any]:
        sizes = {name: torrent[name] * self.scale for name in ("size", "piece_length")}
        return {**torrent, **sizes, "info_hash": self._info_hash(torrent["info_hash"])}

    def announce(self, line: Line) -> Line:
        counters = {name: _scaled(line, name, self.scale) for name in _COUNTERS if name in line}
        return {
            **line,
            **counters,
            "time": round(self.start + (line["time"] - self.recorded_start) * SLOWER, 3),
            "key": _digest(line["key"], self.person)[:30],
            "ip": self._address(line),
            "info_hash": self._info_hash(line["info_hash"]),
        }

    def _info_hash(self, info_hash: str) -> str:
        return _digest(info_hash, self.person, self.life)[:40]

    def _address(self, line: Line) -> str:
        number = int(_digest(line["key"], self.person)[-8:], 16)
        if ":" in line["ip"]:
            return str(IPv6Address((0x20010DB8 << 96) | (number << 64) | 1))
        return str(IPv4Address((10 << 24) | (number % (1 << 24))))


def _copies(recording: Recording, plan: Plan) -> Iterator[_Copy]:
    first, last = (recording.announces[index]["time"] for index in (0, -1))
    length = (last - first) * SLOWER + BREAK_SECONDS
    for person in range(plan.people):
        begin = START + person * length / plan.people
        for life in range(int(plan.seconds // length) + 1):
            yield _Copy(person, life, first, begin + life * length, plan.scales[(person + life) % len(plan.scales)])


def _scaled(line: Line, name: str, scale: int) -> int:
    value = int(line[name])
    if name == "left" and (value > _UNKNOWN_LEFT or (value == _METADATA_LEFT and line.get("event") == "started")):
        return value
    return value * scale


def _digest(*parts: object) -> str:
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()
