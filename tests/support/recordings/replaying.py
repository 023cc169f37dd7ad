"""Run ``python -m etracker_scoring.replay`` on a log."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.support.recordings.files import Recording, write_lines

SECONDS = 540.0


def replay(recording: Recording, folder: Path) -> list[dict[str, Any]]:
    """Return the lines that it writes: who was suspected, confirmed or cleared, when and why."""
    announces = write_lines(folder / "announces.jsonl", recording.announces)
    torrents = write_lines(folder / "torrents.jsonl", recording.torrents)
    out = folder / "verdicts.jsonl"
    files = ["--announces", str(announces), "--torrents", str(torrents), "--out", str(out)]
    command = [sys.executable, "-m", "etracker_scoring.replay", *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in out.read_text().splitlines()]


def states(verdicts: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the states that each key went through."""
    by_key: dict[str, list[str]] = defaultdict(list)
    for verdict in verdicts:
        by_key[verdict["key"]].append(verdict["state"])
    return dict(by_key)
