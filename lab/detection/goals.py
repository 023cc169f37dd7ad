"""What the detector has to reach."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .evaluation import Outcome, Tally, median_delay_hours, recall

MOST_CONFIRMATIONS = 1.0
MOST_SUSPICIONS = 25.0
"""Of honest keys, per 10,000 of their days."""


@dataclass(frozen=True, slots=True)
class Goal:
    """The share of a kind that has to reach a state in a setting, and after how many hours at the median."""

    setting: str
    kind: str
    share: float
    hours: float | None = None
    state: str = "confirmed"


GOALS = (
    *(Goal("mixed", kind, 0.9, 10) for kind in ("ratio_spoof", "ratioup", "cycler", "joal", "event_spam")),
    *(Goal("mixed", kind, 0.75, 10) for kind in ("broken_raw", "hidden_dl")),
    Goal("mixed", "broken_corrupt", 0.55, 10),
    Goal("closed", "rustatio", 0.75, 24),
    Goal("closed", "seedmage", 0.65),
    Goal("closed", "ratio_const", 0.4, 24),
    Goal("closed", "mult_x10", 0.5, 48),
    Goal("closed", "mult_x5", 0.65, state="suspected"),
    Goal("closed", "mult_x3", 0.65, state="suspected"),
)


@dataclass(frozen=True, slots=True)
class Check:
    """A goal and what was found."""

    what: str
    found: str
    goal: str
    met: bool


def checks(tallies: Mapping[str, Tally]) -> list[Check]:
    """Compare all goals with what was found."""
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    wrong = [
        _at_most("honest keys confirmed, per 10,000 days", whole.per_10000(whole.confirmations), MOST_CONFIRMATIONS),
        _at_most("honest keys suspected, per 10,000 days", whole.per_10000(whole.suspicions), MOST_SUSPICIONS),
    ]
    return [*wrong, *(check for goal in GOALS for check in _of_goal(goal, tallies))]


def of_kind(outcomes: Iterable[Outcome], kind: str) -> list[Outcome]:
    """Return the offenders of one kind."""
    return [outcome for outcome in outcomes if outcome.kind == kind]


def _at_most(what: str, found: float, bound: float) -> Check:
    return Check(what, f"{found:.1f}", f"at most {bound:g}", found <= bound)


def _of_goal(goal: Goal, tallies: Mapping[str, Tally]) -> list[Check]:
    outcomes = of_kind(tallies[goal.setting].outcomes, goal.kind) if goal.setting in tallies else []
    reached = recall(outcomes, goal.state)
    if reached is None:
        return []
    what = f"{goal.kind} {goal.state} ({goal.setting})"
    share = Check(what, f"{reached:.0%} of {len(outcomes)}", f"at least {goal.share:.0%}", reached >= goal.share)
    return [share, *_of_delay(goal, outcomes, what)]


def _of_delay(goal: Goal, outcomes: Sequence[Outcome], what: str) -> list[Check]:
    hours = median_delay_hours(outcomes, goal.state)
    if goal.hours is None or hours is None:
        return []
    return [Check(f"{what}, median delay", f"{hours:.1f} h", f"at most {goal.hours:g} h", hours <= goal.hours)]
