"""The results of paired runs."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from etracker_shared.agreements.policies import DEFAULT_POLICY, PolicyName
from lab.real.people import Kind
from lab.real.swarm import Outcome

PLAIN, DEFAULT = PolicyName.RANDOM, DEFAULT_POLICY
LEAST_GAIN = 1.5


@dataclass(frozen=True, slots=True)
class Run:
    """One run under one policy: seconds to completion, and FR/C, the quotient of their geometric means."""

    contributors: list[float]
    free_riders: list[float]
    fr_over_c: float
    stranded: int


def summarize(outcome: Outcome, limit_seconds: float) -> Run:
    """Summarise a run; a stranded client counts as completing at the end."""
    contributors = sorted(outcome.seconds.get(Kind.CONTRIBUTOR, []))
    free_riders = sorted(outcome.seconds.get(Kind.FREE_RIDER, []))
    quotient = _mean(free_riders, limit_seconds) / _mean(contributors, limit_seconds)
    return Run(contributors, free_riders, quotient, outcome.stranded)


def _mean(seconds: Sequence[float], limit_seconds: float) -> float:
    return statistics.geometric_mean(seconds) if seconds else limit_seconds


@dataclass(slots=True)
class Results:
    """``runs``: by policy; runs at the same index are a pair.

    ``world``: what the runs had in common. ``parameters``: the parameters of ``equilibrium`` that they used.
    """

    world: dict[str, float]
    parameters: dict[str, Any]
    runs: dict[str, list[Run]] = field(default_factory=dict)

    def fr_over_c(self, policy: str) -> float:
        """Return the median over runs."""
        return statistics.median(run.fr_over_c for run in self.runs[policy])

    def gains(self, policy: str) -> list[float]:
        """Return FR/C relative to that of a plain tracker, one per pair of runs."""
        pairs = zip(self.runs[policy], self.runs[PLAIN], strict=True)
        return [run.fr_over_c / plain.fr_over_c for run, plain in pairs]

    def stranded(self) -> int:
        """Count the clients that didn't complete, over all runs."""
        return sum(run.stranded for runs in self.runs.values() for run in runs)

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return statistics.median(self.gains(DEFAULT)) >= LEAST_GAIN and self.stranded() == 0

    def write(self, path: Path) -> None:
        """Write everything as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        summary = {
            policy: {
                "fr_over_c": self.fr_over_c(policy),
                "over_random": statistics.median(self.gains(policy)),
                "contributors_seconds": self.median_seconds(policy, "contributors"),
                "free_riders_seconds": self.median_seconds(policy, "free_riders"),
                "stranded": sum(run.stranded for run in self.runs[policy]),
            }
            for policy in self.runs
        }
        path.write_text(json.dumps({**asdict(self), "summary": summary, "met": self.met}, indent=1) + "\n")

    def keep(self, path: Path) -> None:
        """Write the numbers for comparison with the simulation as JSON: FR/C of every run, and the parameters."""
        runs = {policy: [{"fr_over_c": round(run.fr_over_c, 4)} for run in self.runs[policy]] for policy in self.runs}
        kept = {"world": self.world, "parameters": self.parameters, "runs": runs}
        path.write_text(json.dumps(kept, indent=1) + "\n")

    def median_seconds(self, policy: str, kind: str) -> float:
        """Return the median time to completion of "contributors" or "free_riders" over all runs."""
        return float(statistics.median(seconds for run in self.runs[policy] for seconds in getattr(run, kind)))
