"""Writes ``docs/detection.md`` for operators and key holders."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from .evaluation import Tally, median_delay_hours, recall
from .goals import checks, of_kind
from .offenders import KINDS

_TEMPLATE = Path(__file__).with_name("page.md")


def write_page(path: Path, tallies: Mapping[str, Tally], seeds: str) -> None:
    """Write the page from what was found with these seeds."""
    measured = _measured(tallies, seeds) if tallies else dict.fromkeys(_PLACES, _UNMEASURED)
    path.write_text(_TEMPLATE.read_text().format(**measured))


_PLACES = ("tried", "honest", "offenders", "picture", "goal", "run")
_UNMEASURED = "No numbers yet: `make detection` writes them."


def _measured(tallies: Mapping[str, Tally], seeds: str) -> dict[str, str]:
    days = sum(tally.honest_days for tally in tallies.values())
    return {
        "tried": f"It was tried on {days:,.0f} days of simulated honest clients and their odd habits. The tables below "
        "count every honest key that was accused wrongly.",
        "honest": _table(_WRONG_HEADER, _wrong_rows(tallies)),
        "offenders": _table(_FOUND_HEADER, _found_rows(tallies)),
        "picture": "![Share of each kind of offender that was suspected and confirmed](detection/recall.svg)",
        "goal": _goal_table(tallies),
        "run": f"These numbers are from seeds {seeds} of each setting.",
    }


_WRONG_HEADER = ("setting", "honest peer-days", "suspected per 10,000", "confirmed per 10,000")
_FOUND_HEADER = ("offender", "setting", "how many", "suspected", "confirmed", "median hours to confirmation")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *rows))


def _wrong_rows(tallies: Mapping[str, Tally]) -> list[list[str]]:
    return [
        [
            setting,
            f"{tally.honest_days:,.0f}",
            f"{tally.per_10000(tally.suspicions):.1f} ({tally.suspicions})",
            f"{tally.per_10000(tally.confirmations):.1f} ({tally.confirmations})",
        ]
        for setting, tally in tallies.items()
    ]


def _found_rows(tallies: Mapping[str, Tally]) -> list[list[str]]:
    return [row for kind in KINDS for setting, tally in tallies.items() for row in _found_row(kind, setting, tally)]


def _found_row(kind: str, setting: str, tally: Tally) -> list[list[str]]:
    outcomes = of_kind(tally.outcomes, kind)
    suspected, confirmed = recall(outcomes, "suspected"), recall(outcomes, "confirmed")
    if suspected is None or confirmed is None:
        return []
    hours = median_delay_hours(outcomes)
    delay = "" if hours is None else f"{hours:.1f}"
    return [[f"`{kind}`", setting, str(len(outcomes)), f"{suspected:.0%}", f"{confirmed:.0%}", delay]]


def _goal_table(tallies: Mapping[str, Tally]) -> str:
    rows = [[check.what, check.found, check.goal, "met" if check.met else "**missed**"] for check in checks(tallies)]
    return _table(("what", "found", "goal", ""), rows)
