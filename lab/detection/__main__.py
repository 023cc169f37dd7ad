"""``python -m lab.detection``: simulate swarms, replay them, and compare the verdicts with the truth."""

import argparse
import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from .evaluation import Tally, evaluate
from .goals import checks
from .page import write_page
from .plots import draw_recall
from .worlds import SETTINGS, make_trace
from .writing import write_trace

ROOT = Path(__file__).parents[2]
HELD_OUT = range(100)
"""Seeds that no threshold was chosen with; 1000 to 1099 are for choosing."""


def main() -> None:
    """Evaluate, or only write traces."""
    arguments = _parse()
    console = Console()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    if arguments.write:
        _write_only(arguments.write, arguments.settings, seeds, console)
        return
    began = time.monotonic()
    tallies = _evaluate_all(arguments.settings, seeds, console)
    _publish(tallies, seeds, (time.monotonic() - began) / 60, docs=arguments.docs)
    console.print(_goal_table(tallies))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Count whom the detector finds, and whom it accuses wrongly.")
    parser.add_argument("--seeds", type=int, default=8, help="traces per setting (default: 8)")
    parser.add_argument("--first", type=int, default=HELD_OUT.start, help="the first seed (1000 and above: for tuning)")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--docs", action="store_true", help="write docs/detection.md")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="only write the traces")
    return parser.parse_args()


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console)


def _evaluate_all(settings: list[str], seeds: range, console: Console) -> dict[str, Tally]:
    tallies = {setting: Tally() for setting in settings}
    with _progress(console) as progress:
        bar = progress.add_task("Simulating", total=2 * len(settings) * len(seeds))
        for seed in seeds:
            for setting in settings:
                progress.update(bar, description=f"Simulating {setting}, seed {seed}")
                trace = make_trace(setting, seed)
                progress.update(bar, description=f"Replaying {setting}, seed {seed}", advance=1)
                with tempfile.TemporaryDirectory() as folder:
                    tallies[setting].add(evaluate(trace, Path(folder)))
                progress.advance(bar)
    return tallies


def _write_only(folder: Path, settings: list[str], seeds: range, console: Console) -> None:
    with _progress(console) as progress:
        bar = progress.add_task("Simulating", total=len(settings) * len(seeds))
        for seed in seeds:
            for setting in settings:
                write_trace(make_trace(setting, seed), folder / f"{setting}-{seed}")
                progress.advance(bar)


def _publish(tallies: dict[str, Tally], seeds: range, minutes: float, *, docs: bool) -> None:
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    found = {setting: asdict(tally) for setting, tally in tallies.items()}
    (build / "detection.json").write_text(json.dumps(found, indent=1) + "\n")
    if docs:
        draw_recall(tallies, ROOT / "docs" / "detection" / "recall.svg")
        write_page(ROOT / "docs" / "detection.md", tallies, f"{seeds.start} to {seeds.stop - 1}", minutes)


def _goal_table(tallies: dict[str, Tally]) -> Table:
    table = Table("what", "found", "goal", "", title="The goal", title_justify="left")
    for check in checks(tallies):
        table.add_row(check.what, check.found, check.goal, "met" if check.met else "missed")
    return table


if __name__ == "__main__":
    main()
