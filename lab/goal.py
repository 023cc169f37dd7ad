"""The goal of ``equilibrium``: the bounds with which a summary of paired runs is compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .attacks import PREVENTED


@dataclass(frozen=True, slots=True)
class Check:
    """One number and its bound. ``low`` and ``high``: its 95 % confidence interval."""

    what: str
    value: float
    low: float
    high: float
    bound: float
    at_least: bool

    @property
    def met(self) -> bool:
        """Whether the number itself is within the bound."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound


FR_OVER_C = {"tiny": 1.55, "rich": 1.6, "poor": 1.6, "flash": 1.6}
MEAN = {"tiny": 1.15, "rich": 1.3, "poor": 1.1, "flash": 1.0}
CONTRIBUTORS = 1.02
NEWCOMERS = 1.2
ATTACK_CHANGE = 0.9
PAYOFF = 1.5


def checks(summary: dict[str, Any]) -> list[Check]:
    """Compare a summary with the goal."""
    return [*_of_regimes(summary), *_of_attacks(summary), *_of_payoff(summary)]


def fresh_checks(summary: dict[str, Any]) -> list[Check]:
    """Compare the runs of further seeds with the goal."""
    return list(_of_regimes(summary["fresh"]))


def _of_regimes(summary: dict[str, Any]) -> Iterator[Check]:
    for regime, least in FR_OVER_C.items():
        found = summary[regime]["equilibrium"]
        bounds = {
            "fr_over_c": (least, True),
            "contributors": (CONTRIBUTORS, False),
            "newcomers": (NEWCOMERS, False),
            "mean": (MEAN[regime], False),
        }
        for name, (bound, at_least) in bounds.items():
            low, high = found["ci"][name]
            yield Check(f"{regime}: {LABELS[name]}", found[name], low, high, bound, at_least)
        stranded = found["stranded"]
        yield Check(f"{regime}: stranded", stranded, stranded, stranded, 0, at_least=False)


def _of_attacks(summary: dict[str, Any]) -> Iterator[Check]:
    for attack in PREVENTED:
        for regime, found in summary["attacks"].get(attack.value, {}).items():
            what = f"{attack.value}, {regime}: FR/C changes by the factor"
            low, high = found["ci"]["change"]
            yield Check(what, found["change"], low, high, ATTACK_CHANGE, at_least=True)


def _of_payoff(summary: dict[str, Any]) -> Iterator[Check]:
    found = summary["payoff"]["equilibrium"]
    low, high = found["ci"]
    yield Check("seeding for 48 h makes downloads faster by", found["advantage"], low, high, PAYOFF, at_least=True)


LABELS = {
    "fr_over_c": "free-riders over contributors (FR/C)",
    "contributors": "contributors' time",
    "newcomers": "newcomers' time",
    "mean": "everyone's time",
}
"""Times are relative to those under a plain tracker."""
