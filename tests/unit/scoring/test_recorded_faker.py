"""The announces of a real d-fake-seeder 1.1.24 in a closed swarm: it is found by the balance, and nobody else is.

It has no artefact that a tracker sees. The recording has its default speeds, and an announce every nine seconds; here
they are half an hour apart, and all numbers as much larger as real contents are.
"""

import hashlib
import random
from collections.abc import Iterator
from itertools import cycle, islice, pairwise
from pathlib import Path

from tests.support.recordings import files
from tests.support.recordings.files import Recording
from tests.support.recordings.replaying import replay
from tests.support.recordings.stretching import REAL_INTERVAL_SECONDS, START
from tests.support.recordings.tracker import Line, key_of

SCALE = 256
INTERVALS, HONEST_INTERVALS = 240, 56
LEECHER_INTERVALS = 40
SEEDERS = 5
LEAST_STEP, MOST_STEP = 60_000_000, 120_000_000


def test_a_real_faker_is_confirmed_by_the_balance_of_a_closed_swarm_and_nobody_else_is(tmp_path: Path) -> None:
    recording = files.load("faker-d-fake-seeder")
    (torrent,) = recording.torrents
    size = torrent["size"] * SCALE
    announces = [*_honest(torrent["info_hash"], size), *_faker(recording)]
    stretched = Recording([{**torrent, "size": size, "piece_length": 2**22}], sorted(announces, key=_time_of))
    verdicts = replay(stretched, tmp_path)
    assert [(verdict["key"], verdict["state"]) for verdict in verdicts] == [
        (key_of("faker"), "suspected"),
        (key_of("faker"), "confirmed"),
    ]


def _faker(recording: Recording) -> Iterator[Line]:
    """Announce as after the tool's restart, which then has everything, and goes on with the recorded uploads."""
    recorded = recording.announces
    steps = [after["uploaded"] - before["uploaded"] for before, after in pairwise(recorded)]
    uploaded = 0
    for number, step in enumerate(islice(cycle(filter(None, steps)), INTERVALS - HONEST_INTERVALS)):
        line = {**recorded[-1], "time": _time(HONEST_INTERVALS + number), "uploaded": uploaded * SCALE}
        yield {**line, "downloaded": 0, "left": 0} | ({} if number else {"event": "started"})
        uploaded += step


def _honest(info_hash: str, size: int) -> Iterator[Line]:
    """Seeders upload what one leecher after the other downloads."""
    luck = random.Random(3)
    uploaded = dict.fromkeys((f"seeder {number}" for number in range(SEEDERS)), 0)
    downloaded = 0
    for interval in range(INTERVALS):
        is_new = interval % LEECHER_INTERVALS == 0
        step = 0 if is_new else min(luck.randrange(LEAST_STEP, MOST_STEP, 2), size - downloaded)
        downloaded = step if is_new else downloaded + step
        for name in luck.sample(sorted(uploaded)[1:], 2):
            uploaded[name] += step // 2
        leecher = f"leecher {interval // LEECHER_INTERVALS}"
        reports = [(name, bytes_up, 0, 0) for name, bytes_up in uploaded.items()]
        for name, up, down, left in [*reports, (leecher, 0, downloaded, size - downloaded)]:
            line = _line(name, info_hash, interval) | {"uploaded": up, "downloaded": down, "left": left}
            is_first = is_new if name == leecher else not interval
            yield line | ({"event": "started"} if is_first else {})


def _line(name: str, info_hash: str, interval: int) -> Line:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return {
        "time": _time(interval) + int(digest[:4], 16) % 60,
        "key": key_of(name),
        "ip": f"10.{int(digest[:2], 16)}.{int(digest[2:4], 16)}.7",
        "port": 51413,
        "info_hash": info_hash,
        "peer_id": (b"-TR4060-" + digest[:12].encode()).hex(),
        "numwant": 80,
        "user_agent": "Transmission/4.0.6",
    }


def _time(interval: int) -> int:
    return START + interval * REAL_INTERVAL_SECONDS


def _time_of(line: Line) -> float:
    return float(line["time"])
