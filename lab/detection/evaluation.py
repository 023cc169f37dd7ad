"""Runs replay over traces and compares what it says with the truth."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from .announces import Announce, Label
from .torrents import GIB
from .worlds import Trace
from .writing import write_trace

HOUR = 3600
_DAY_BLOCKS = 12
_BLOCK = 7200


@dataclass(frozen=True, slots=True)
class Outcome:
    """An offender worth counting: when it began, and when it was first suspected and confirmed (Unix seconds)."""

    kind: str
    strength: str
    started: int
    suspected: int | None
    confirmed: int | None
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class Wrong:
    """An honest key's worst state, with what was said about it."""

    key: str
    state: str
    text: str
    oddities: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """What was found in the traces of one setting."""

    honest_days: float = 0.0
    suspicions: int = 0
    confirmations: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Add another trace's."""
        self.honest_days += other.honest_days
        self.suspicions += other.suspicions
        self.confirmations += other.confirmations
        self.outcomes += other.outcomes
        self.wrong += other.wrong

    def per_10000(self, count: int) -> float:
        """Return how many that is per 10,000 honest peer-days."""
        return 10_000 * count / self.honest_days if self.honest_days else 0.0


def replay(folder: Path) -> list[dict[str, Any]]:
    """Run the detector over a trace's files, as an operator would, and return the lines it writes."""
    out = folder / "verdicts.jsonl"
    command = [sys.executable, "-m", "etracker_scoring.replay", "--announces", str(folder / "announces.jsonl.gz")]
    command += ["--torrents", str(folder / "torrents.jsonl"), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"replay failed:\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in out.read_text().splitlines()]


def evaluate(trace: Trace, folder: Path) -> Tally:
    """Write a trace, replay it, and compare."""
    write_trace(trace, folder)
    return compare(trace.announces, trace.labels, replay(folder))


def compare(announces: Iterable[Announce], labels: Sequence[Label], lines: Iterable[dict[str, Any]]) -> Tally:
    """Compare verdicts with the truth. A key that is suspected again after it was cleared counts again."""
    said: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        said[line["key"]].append(line)
    tally = Tally(honest_days=_honest_days(announces, {label.key for label in labels if not label.kind}))
    for label in labels:
        if label.kind:
            tally.outcomes += _outcome(label, said[label.key])
        else:
            _count_wrong(tally, label, said[label.key])
    return tally


def _honest_days(announces: Iterable[Announce], honest: set[str]) -> float:
    """Count the time in which honest keys announced, whatever the number of their torrents."""
    blocks = {(announce.key, announce.time // _BLOCK) for announce in announces if announce.key in honest}
    return len(blocks) / _DAY_BLOCKS


def _outcome(label: Label, lines: Sequence[dict[str, Any]]) -> Iterator[Outcome]:
    """Yield the offender if it did enough to count: a GiB, or an hour of events."""
    enough = HOUR if label.kind == "event_spam" else GIB
    if label.started is None or label.kind is None or label.volume < enough:
        return
    reasons = {str(kind) for line in lines for kind in line["kinds"]}
    confirmed = _first(lines, {"confirmed"})
    suspected = _first(lines, {"suspected", "confirmed"})
    yield Outcome(label.kind, label.strength, label.started, suspected, confirmed, tuple(sorted(reasons)))


def _first(lines: Sequence[dict[str, Any]], states: set[str]) -> int | None:
    return min((int(line["time"]) for line in lines if line["state"] in states), default=None)


def _count_wrong(tally: Tally, label: Label, lines: Sequence[dict[str, Any]]) -> None:
    before = "ok"
    for line in lines:
        state = line["state"]
        bad = {"suspected", "confirmed"}
        tally.suspicions += state in bad and before not in bad
        tally.confirmations += state == "confirmed" and before != "confirmed"
        if state in bad and state != before:
            tally.wrong.append(Wrong(label.key, state, line["text"], label.oddities))
        before = state


def recall(outcomes: Sequence[Outcome], state: str) -> float | None:
    """Return the share of offenders that reached a state, None without any."""
    return sum(getattr(outcome, state) is not None for outcome in outcomes) / len(outcomes) if outcomes else None


def median_delay_hours(outcomes: Sequence[Outcome], state: str = "confirmed") -> float | None:
    """Return the median time from the first offence to a state, None if none reached it."""
    reached = [(getattr(outcome, state), outcome.started) for outcome in outcomes]
    delays = [max(0, at - started) / HOUR for at, started in reached if at is not None]
    return median(delays) if delays else None
