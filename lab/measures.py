"""Measures of paired runs: ratios with 95 % confidence intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .people import HORIZON_SECONDS, Outcome
from .regimes import CONTRIBUTORS, LEAVERS, Behaviour

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Run:
    """One run in numbers: mean seconds of groups, FR/C, and how many never completed."""

    fr_over_c: float
    contributors: float
    newcomers: float
    mean: float
    stranded: int
    leavers: float
    """Geometric mean over those who leave after downloading, who are the attackers."""
    groups: dict[str, float]
    """Geometric mean by behaviour, for the picture of waiting times."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A ratio and its 95 % confidence interval."""

    value: float
    low: float
    high: float


def summarise(outcome: Outcome) -> Run:
    """Summarise a run. People who never completed are counted as having taken until the horizon."""
    population = outcome.population
    came = population.behaviour != Behaviour.SEED
    durations = _durations(outcome)
    contributors = durations[np.isin(population.behaviour, CONTRIBUTORS)]
    return Run(
        fr_over_c=fr_over_c_of(outcome),
        contributors=float(contributors.mean()),
        newcomers=float(durations[population.behaviour == Behaviour.NEWCOMER].mean()),
        mean=float(durations[came].mean()),
        stranded=int(np.count_nonzero(np.isnan(outcome.duration) & came)),
        leavers=float(np.exp(np.log(durations[np.isin(population.behaviour, LEAVERS)]).mean())),
        groups={
            kind.name.lower(): float(np.exp(np.log(durations[population.behaviour == kind]).mean()))
            for kind in Behaviour
            if kind is not Behaviour.SEED
        },
    )


def fr_over_c_of(outcome: Outcome) -> float:
    """Return the time of free-riders divided by that of contributors (geometric means)."""
    logs, behaviour = np.log(_durations(outcome)), outcome.population.behaviour
    free_riders, contributors = behaviour == Behaviour.FREE_RIDER, np.isin(behaviour, CONTRIBUTORS)
    return float(np.exp(logs[free_riders].mean() - logs[contributors].mean()))


def _durations(outcome: Outcome) -> Floats:
    until_horizon = HORIZON_SECONDS - outcome.population.arrival
    return np.where(np.isnan(outcome.duration), until_horizon, outcome.duration)


def estimate(ratios: Sequence[float] | Floats) -> Estimate:
    """Estimate a ratio from independent ones: geometric mean, Student's t on the logarithms."""
    logs = np.log(np.asarray(ratios, np.float64))
    if len(logs) < 2:
        return Estimate(float(np.exp(logs.mean())), 0.0, float("inf"))
    margin = student_t(len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
    return Estimate(*(float(np.exp(logs.mean() + off)) for off in (0.0, -margin, margin)))


def student_t(degrees: int) -> float:
    """Return the 97.5 % point of Student's t (Cornish-Fisher expansion, within 1 % for 3 or more degrees)."""
    z = 1.959964
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / float(degrees**power) for power, term in enumerate(terms, start=1))


def compare(runs: Sequence[Run], plain: Sequence[Run]) -> dict[str, object]:
    """Compare paired runs of a policy with those of a plain tracker, in the format of ``equilibrium.json``."""
    estimates = {
        "fr_over_c": estimate([run.fr_over_c for run in runs]),
        "contributors": _paired(runs, plain, "contributors"),
        "newcomers": _paired(runs, plain, "newcomers"),
        "mean": _paired(runs, plain, "mean"),
    }
    return {
        **{name: round(found.value, 4) for name, found in estimates.items()},
        "stranded": sum(run.stranded for run in runs),
        "runs": len(runs),
        "groups": {kind: round(_group(runs, plain, kind).value, 4) for kind in runs[0].groups},
        "ci": {name: [round(found.low, 4), round(found.high, 4)] for name, found in estimates.items()},
    }


def compare_attacked(attacked: Sequence[Run], unattacked: Sequence[Run]) -> dict[str, object]:
    """Compare paired runs with and without an attack.

    ``change``: the factor by which FR/C changed; ``attackers`` and ``contributors``: those of their times.
    """
    estimates = {
        "fr_over_c": estimate([run.fr_over_c for run in attacked]),
        "change": _paired(attacked, unattacked, "fr_over_c"),
        "attackers": _paired(attacked, unattacked, "leavers"),
        "contributors": _paired(attacked, unattacked, "contributors"),
    }
    return {
        **{name: round(found.value, 4) for name, found in estimates.items()},
        "stranded": sum(run.stranded for run in attacked),
        "runs": len(attacked),
        "ci": {name: [round(found.low, 4), round(found.high, 4)] for name, found in estimates.items()},
    }


def _group(runs: Sequence[Run], plain: Sequence[Run], kind: str) -> Estimate:
    return estimate([run.groups[kind] / other.groups[kind] for run, other in zip(runs, plain, strict=True)])


def _paired(runs: Sequence[Run], plain: Sequence[Run], name: str) -> Estimate:
    return estimate([getattr(run, name) / getattr(other, name) for run, other in zip(runs, plain, strict=True)])
