"""``python -m lab.detection``: simulate swarms, replay them, and compare the verdicts with the truth."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from .evaluation import Tally
from .goals import checks
from .page import write_page
from .plots import draw_recall
from .results import Place, ResultFile, run_traces, sum_up
from .worlds import SETTINGS, make_trace
from .writing import write_trace

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "build" / "detection.jsonl"
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
    results = ResultFile(arguments.results)
    if not arguments.resume:
        results.begin()
    places = [(setting, seed) for seed in seeds for setting in arguments.settings]
    _evaluate_all(places, results, arguments.processes, console)
    known = results.read()
    tallies = sum_up([known[place] for place in places], arguments.settings)
    if arguments.docs:
        draw_recall(tallies, ROOT / "docs" / "detection" / "recall.svg")
        write_page(ROOT / "docs" / "detection.md", tallies, f"{seeds.start} to {seeds.stop - 1}")
    console.print(_goal_table(tallies))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Count whom the detector finds, and whom it accuses wrongly.")
    parser.add_argument("--seeds", type=int, default=8, help="traces per setting (default: 8)")
    parser.add_argument("--first", type=int, default=HELD_OUT.start, help="the first seed (1000 and above: for tuning)")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--results", type=Path, default=RESULTS, help="results so far, one line per trace")
    parser.add_argument("--resume", action="store_true", help="leave out the traces whose results are known")
    parser.add_argument("--processes", type=int, choices=(1, 2), default=2)
    parser.add_argument("--docs", action="store_true", help="write docs/detection.md")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="only write the traces")
    return parser.parse_args()


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console)


def _evaluate_all(places: Sequence[Place], results: ResultFile, processes: int, console: Console) -> None:
    known = results.read()
    missing = [place for place in places if place not in known]
    with _progress(console) as progress:
        bar = progress.add_task("Simulating and replaying", total=len(missing))
        for result in run_traces(missing, processes):
            results.append(result)
            progress.advance(bar)


def _write_only(folder: Path, settings: list[str], seeds: range, console: Console) -> None:
    with _progress(console) as progress:
        bar = progress.add_task("Simulating", total=len(settings) * len(seeds))
        for seed in seeds:
            for setting in settings:
                write_trace(make_trace(setting, seed), folder / f"{setting}-{seed}")
                progress.advance(bar)


def _goal_table(tallies: dict[str, Tally]) -> Table:
    table = Table("what", "found", "goal", "", title="The goal", title_justify="left")
    for check in checks(tallies):
        table.add_row(check.what, check.found, check.goal, "met" if check.met else "missed")
    return table


if __name__ == "__main__":
    main()
