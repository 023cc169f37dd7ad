"""Shows the results of the experiment: on the terminal, as a page and as a picture."""

import statistics
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from lab.real.results import LEAST_GAIN, PLAIN, Results

mpl.rcParams["svg.hashsalt"] = "etracker"  # the same numbers draw the same file

COLUMNS = (
    "policy",
    "FR/C, median (least to most)",
    "relative to random, per pair of runs",
    "contributors",
    "free-riders",
)
_TEMPLATE = Path(__file__).with_name("page.md")


def show(results: Results) -> None:
    """Print the table."""
    table = Table(*COLUMNS, title="Real clients", title_justify="left")
    for row in rows(results):
        table.add_row(*row)
    console = Console(width=max(Console().width, 110))
    console.print(table)
    console.print(f"Stranded: {results.stranded()}. Goal: under equilibrium at least {LEAST_GAIN:g} times random's.")


def rows(results: Results) -> list[tuple[str, ...]]:
    """Return one row per policy."""
    found: list[tuple[str, ...]] = []
    for policy, runs in results.runs.items():
        quotients = [run.fr_over_c for run in runs]
        gains = results.gains(policy)
        found.append(
            (
                policy,
                f"{statistics.median(quotients):.2f} ({min(quotients):.2f} to {max(quotients):.2f})",
                "" if policy == PLAIN else f"{statistics.median(gains):.2f} ({min(gains):.2f} to {max(gains):.2f})",
                f"{results.median_seconds(policy, 'contributors'):.0f} s",
                f"{results.median_seconds(policy, 'free_riders'):.0f} s",
            )
        )
    return found


def write_docs(results: Results, docs: Path) -> None:
    """Write ``equilibrium-real.md`` and its picture."""
    picture = docs / "equilibrium" / "real.svg"
    picture.parent.mkdir(exist_ok=True)
    _draw(results, picture)
    lines = ["| " + " | ".join(row) + " |" for row in (COLUMNS, ["---"] * len(COLUMNS), *rows(results))]
    world = results.world
    page = _TEMPLATE.read_text().format(
        table="\n".join(lines),
        stranded=results.stranded(),
        runs=len(results.runs[PLAIN]),
        megabytes=world["length_bytes"] / 2**20,
        megabits=world["uplink_bits"] / 1e6,
        tau=world["tau_seconds"],
    )
    (docs / "equilibrium-real.md").write_text(page)


def _draw(results: Results, path: Path) -> None:
    """Draw everybody's time to completion, one column per policy and kind."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    kinds = {"contributors": "tab:blue", "free_riders": "tab:red"}
    for place, runs in enumerate(results.runs.values()):
        for side, (kind, colour) in zip((-0.15, 0.15), kinds.items(), strict=True):
            seconds = [value for run in runs for value in getattr(run, kind)]
            label = kind.replace("_", "-") if place == 0 else None
            axes.plot([place + side] * len(seconds), seconds, "o", color=colour, alpha=0.35, label=label)
            axes.plot([place + side], [statistics.geometric_mean(seconds)], "_", color=colour, markersize=30)
    axes.set_xticks(range(len(results.runs)), list(results.runs))
    axes.set_ylabel("seconds to completion")
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
