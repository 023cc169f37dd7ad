"""The results of a run: samples, medians, ratios, and whether bounds are met."""

import json
import os
import platform
import statistics
import time
import timeit
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from urllib.parse import parse_qs

from bench.bounds import LONGEST_P50_MS, bounds
from bench.facts import FactSample
from bench.measure import Sample
from bench.names import ETRACKER, PACED


@dataclass(frozen=True, slots=True)
class Median:
    """The medians of a target's rounds in one stage and mode. ``cpu_us``: by role; ``total``: over all roles."""

    stage: str
    target: str
    mode: str
    rounds: int
    announces_per_second: float
    p50_ms: float
    p99_ms: float
    total_cpu_us: float
    least_cpu_us: float
    most_cpu_us: float
    cpu_us: dict[str, float]
    peers_per_answer: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """The ratio of two targets' CPU times per announce in one stage and mode: of each round, and their median."""

    value: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was measured of something that has a bound."""

    name: str
    stage: str
    mode: str
    value: float
    bound: float

    @property
    def met(self) -> bool:
        """Whether the value is within its bound."""
        return self.value <= self.bound


@dataclass(slots=True)
class Results:
    """All results of one run.

    ``memory``: bytes of Redis memory per peer, by name. ``keeps``: what each other tracker keeps about users.
    ``missing``: why what isn't here wasn't measured, by name. ``commit``: the older one that was measured too, and
    ``given_then``: the name of the target to which its announce URLs lead.
    """

    machine: dict[str, str] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    memory: dict[str, float] = field(default_factory=dict)
    keeps: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    commit: str = ""
    given_then: str = ""
    seconds: float = 0.0
    facts: list[FactSample] = field(default_factory=list)

    def medians(self) -> list[Median]:
        """Return the medians of each stage, mode and target, in the order they were measured."""
        keys = dict.fromkeys((s.stage, s.mode, s.target) for s in self.samples)
        return [_median([s for s in self.samples if (s.stage, s.mode, s.target) == key]) for key in keys]

    def ratio(self, stage: str, above: str, below: str, mode: str) -> Ratio | None:
        """Return the ratio of two targets, if both were measured."""
        totals, others = self._totals(stage, above, mode), self._totals(stage, below, mode)
        if not totals or not others:
            return None
        rounds = [a / b for a, b in zip(totals, others, strict=False)]  # a failure may have interrupted a round
        return Ratio(statistics.median(rounds), min(rounds), max(rounds))

    def verdicts(self) -> list[Verdict]:
        """Return what has a bound, as far as it was measured."""
        ratios = [
            Verdict(f"{bound.above} / {bound.below}", bound.stage, bound.mode, ratio.value, bound.most)
            for bound in bounds(self.commit)
            if (ratio := self.ratio(bound.stage, bound.above, bound.below, bound.mode))
        ]
        waits = [
            Verdict(f"{ETRACKER}: p50 in ms", PACED, median.mode, median.p50_ms, LONGEST_P50_MS)
            for median in self.medians()
            if (median.stage, median.target) == (PACED, ETRACKER)
        ]
        return ratios + waits

    def _totals(self, stage: str, target: str, mode: str) -> list[float]:
        return [s.total_cpu_us for s in self.samples if (s.stage, s.target, s.mode) == (stage, target, mode)]

    def write(self, path: Path) -> None:
        """Write everything as JSON, medians and ratios too."""
        path.parent.mkdir(parents=True, exist_ok=True)
        found = {
            **asdict(self),
            "medians": [asdict(median) for median in self.medians()],
            "bounds": [{**asdict(verdict), "met": verdict.met} for verdict in self.verdicts()],
        }
        path.write_text(json.dumps(found, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Results":
        """Read what :meth:`write` wrote."""
        found = json.loads(path.read_text())
        values = {entry.name: found[entry.name] for entry in fields(cls)}
        values["samples"] = [Sample(**sample) for sample in found["samples"]]
        values["facts"] = [FactSample(**sample) for sample in found["facts"]]
        return cls(**values)


def _median(samples: Sequence[Sample]) -> Median:
    totals = [sample.total_cpu_us for sample in samples]
    first = samples[0]
    return Median(
        stage=first.stage,
        target=first.target,
        mode=first.mode,
        rounds=len(samples),
        announces_per_second=_middle(s.announces_per_second for s in samples),
        p50_ms=_middle(s.p50_ms for s in samples),
        p99_ms=_middle(s.p99_ms for s in samples),
        total_cpu_us=_middle(totals),
        least_cpu_us=min(totals),
        most_cpu_us=max(totals),
        cpu_us={role: _middle(s.cpu_us[role] for s in samples) for role in first.cpu_us},
        peers_per_answer=_middle(s.peers_per_answer for s in samples),
    )


def _middle(values: Iterable[float]) -> float:
    return statistics.median(values)


def _parse_microseconds() -> float:
    """Time urllib on a query of twelve parameters: an interpreter's speed shows how it was optimised."""
    query = "&".join(f"parameter{number}=value%20{number}" for number in range(12))
    return min(timeit.repeat(lambda: parse_qs(query), number=2000, repeat=15)) / 2000 * 1e6


def describe_machine() -> dict[str, str]:
    """Describe the machine of a run."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processors": f"{os.cpu_count()} x {models[0] if models else platform.processor()}",
        "kernel": platform.release(),
        "python": f"{platform.python_version()}, which parses a query in {_parse_microseconds():.0f} us",
        "load before": f"{os.getloadavg()[0]:.2f}",
    }
