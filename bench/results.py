"""The results of a run: samples, medians, and the ratios that have bounds."""

import json
import os
import platform
import statistics
import time
import timeit
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

from bench.facts import FactSample
from bench.measure import KEEP_ALIVE, MODES, NEW_CONNECTION, Sample
from etracker_shared.agreements.policies import DEFAULT_POLICY, PolicyName

ETRACKER, GATEWAY = "etracker", "etracker through the gateway"
WEBTORRENT, OPENTRACKER = "bittorrent-tracker", "opentracker"
SMALL, LARGE, ONE_SWARM = (
    "10,000 peers in 1,000 swarms",
    "1,000,000 peers in 100,000 swarms",
    "100,000 peers in one swarm",
)
SAME_LOAD = "10,000 peers of those 1,000,000"
"""As many keys and torrents as the small tracker has: the only difference is what else the tracker stores."""

OTHERS, PACED, COLD, SCALE = "against others", "at a steady rate", "cold caches", "as it grows"
UNDER = "under policies"
PLAIN, DEFAULT = POLICIES = (PolicyName.RANDOM, DEFAULT_POLICY)
"""The policy of plain trackers, for comparisons with them, and etracker's default policy."""


def under(policy: str, world: str) -> str:
    """Return the name of a world whose tracker has this policy."""
    return f"{policy}, {world}"


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
    """The ratio of two targets' CPU times per announce (the median of the rounds' ratios), and its bound."""

    name: str
    mode: str
    value: float
    bound: float

    @property
    def met(self) -> bool:
        """Whether the ratio is within its bound."""
        return self.value <= self.bound


@dataclass(slots=True)
class Results:
    """All results of one run. ``memory``: bytes of Redis memory per peer, by name."""

    machine: dict[str, str] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    memory: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    facts: list[FactSample] = field(default_factory=list)

    def medians(self) -> list[Median]:
        """Return the medians of each stage, mode and target, in the order they were measured."""
        keys = dict.fromkeys((s.stage, s.mode, s.target) for s in self.samples)
        return [_median([s for s in self.samples if (s.stage, s.mode, s.target) == key]) for key in keys]

    def ratios(self) -> list[Ratio]:
        """Return the ratios that have bounds, as far as they were measured."""
        wanted = [
            (OTHERS, ETRACKER, WEBTORRENT, NEW_CONNECTION, 0.8),
            (OTHERS, ETRACKER, WEBTORRENT, KEEP_ALIVE, 1.0),
            *((SCALE, LARGE, SMALL, mode, 1.2) for mode in MODES),
            *((SCALE, SAME_LOAD, SMALL, mode, 1.2) for mode in MODES),
            *((SCALE, ONE_SWARM, SMALL, mode, 1.5) for mode in MODES),
            *((UNDER, under(DEFAULT, SMALL), under(PLAIN, SMALL), mode, 1.4) for mode in MODES),
            *((UNDER, under(DEFAULT, ONE_SWARM), under(PLAIN, ONE_SWARM), mode, 1.4) for mode in MODES),
        ]
        return [ratio for item in wanted if (ratio := self._ratio(*item))]

    def _ratio(self, stage: str, above: str, below: str, mode: str, bound: float) -> Ratio | None:
        totals, others = self._totals(stage, above, mode), self._totals(stage, below, mode)
        if not totals or not others:
            return None
        middle = statistics.median(a / b for a, b in zip(totals, others, strict=True))
        return Ratio(f"{above} / {below}", mode, middle, bound)

    def _totals(self, stage: str, target: str, mode: str) -> list[float]:
        return [s.total_cpu_us for s in self.samples if (s.stage, s.target, s.mode) == (stage, target, mode)]

    def write(self, path: Path) -> None:
        """Write everything as JSON, medians and ratios too."""
        path.parent.mkdir(parents=True, exist_ok=True)
        found = {
            **asdict(self),
            "medians": [asdict(median) for median in self.medians()],
            "ratios": [{**asdict(ratio), "met": ratio.met} for ratio in self.ratios()],
        }
        path.write_text(json.dumps(found, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Results":
        """Read what :meth:`write` wrote."""
        found = json.loads(path.read_text())
        samples = [Sample(**sample) for sample in found["samples"]]
        facts = [FactSample(**sample) for sample in found.get("facts", [])]
        return cls(found["machine"], samples, found["memory"], found["seconds"], facts)


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
