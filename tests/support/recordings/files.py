"""The recordings as they are kept: ``<name>.jsonl.gz`` with the announces, and the torrents in the first lines."""

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.recordings.tracker import Line

FOLDER = Path(__file__).parents[2] / "data" / "announces"


@dataclass(frozen=True, slots=True)
class Recording:
    """``torrents`` and ``announces`` are lines of ``etracker_scoring.replay``'s input files."""

    torrents: list[dict[str, Any]]
    announces: list[Line]


def names() -> list[str]:
    """Return the names of the recordings that are kept."""
    return sorted(path.name.removesuffix(".jsonl.gz") for path in FOLDER.glob("*.jsonl.gz"))


def load(name: str) -> Recording:
    """Read a recording."""
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt") as file:
        lines = [json.loads(line) for line in file]
    torrents = [line for line in lines if "size" in line]
    return Recording(torrents, [line for line in lines if "size" not in line])


def save(name: str, recording: Recording) -> None:
    """Write a recording: the same one gives the same bytes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = [*recording.torrents, *sorted(recording.announces, key=lambda line: line["time"])]
    (FOLDER / f"{name}.jsonl.gz").write_bytes(gzip.compress(_encode(lines), mtime=0))


def write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> Path:
    """Write a file that replay reads."""
    path.write_bytes(_encode(lines))
    return path


def _encode(lines: Iterable[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines).encode()
