"""``python -m lab``: simulate all runs, write the numbers, the pictures and the page."""

import argparse
import json
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from .campaign import FULL, QUICK, Plan, Results, add_up, perform_all, published, tasks_of
from .goal import Check, checks, fresh_checks
from .page import write_page
from .plots import draw_all
from .rehearsal import rank

ROOT = Path(__file__).parents[1]
REHEARSALS = 24
SECONDS_A_MINUTE = 60


def main() -> None:
    """Run the lab and report whether the default policy meets its goal."""
    parser = argparse.ArgumentParser(description="Simulate how each selection policy affects each kind of user.")
    parser.add_argument("--quick", action="store_true", help="fewer runs: some four minutes, wider intervals")
    quick: bool = parser.parse_args().quick
    console = Console()
    began = time.monotonic()
    summary = _play(QUICK if quick else FULL, console)
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    (build / "equilibrium.json").write_text(json.dumps(published(summary), indent=1) + "\n")
    ranking = rank(REHEARSALS, build / "equilibrium-real.json")
    draw_all(summary, ROOT / "docs" / "equilibrium")
    minutes = (time.monotonic() - began) / SECONDS_A_MINUTE
    write_page(ROOT / "docs" / "equilibrium.md", summary, ranking, minutes)
    console.print(_table("The goal", checks(summary)))
    console.print(_table("The goal, over further draws", fresh_checks(summary)))


def _play(plan: Plan, console: Console) -> Results:
    tasks, results = tasks_of(plan), {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Compiling, then simulating", total=sum(task.cost for task in tasks))
        for task, result in perform_all(tasks):
            results[task] = result
            progress.update(bar, description=f"{task.regime or 'community'}, {task.policy}", advance=task.cost)
    return add_up(results, plan.regimes)


def _table(title: str, found: list[Check]) -> Table:
    table = Table("what", "found", "95 %", "goal", "", title=title, title_justify="left")
    for check in found:
        sign = ">=" if check.at_least else "<="
        interval = f"{check.low:.3f} to {check.high:.3f}"
        table.add_row(
            check.what, f"{check.value:.3f}", interval, f"{sign} {check.bound:g}", "met" if check.met else "missed"
        )
    return table


if __name__ == "__main__":
    main()
