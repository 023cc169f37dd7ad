"""Results of single traces, written as soon as each is known, so that an interrupted run can go on."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .evaluation import Outcome, Tally, Wrong, evaluate
from .worlds import make_trace

Place = tuple[str, int]
"""A setting and a seed."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was found in one trace."""

    setting: str
    seed: int
    tally: Tally


class ResultFile:
    """One line per trace; a line that was cut short by an interruption is ignored."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self) -> None:
        """Begin a new run with an empty file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text("")

    def append(self, result: Result) -> None:
        """Add a result. It starts on a line of its own, whatever an interruption left before it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write("\n" + json.dumps(asdict(result)))

    def read(self) -> dict[Place, Result]:
        """Return all results by setting and seed."""
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        results = (_parse(line) for line in lines)
        return {(result.setting, result.seed): result for result in results if result is not None}


def _parse(line: str) -> Result | None:
    try:
        fields: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    tally = fields["tally"]
    outcomes = [Outcome(**{**outcome, "reasons": tuple(outcome["reasons"])}) for outcome in tally["outcomes"]]
    wrong = [Wrong(**{**found, "oddities": tuple(found["oddities"])}) for found in tally["wrong"]]
    return Result(fields["setting"], fields["seed"], Tally(**{**tally, "outcomes": outcomes, "wrong": wrong}))


def run_traces(places: Sequence[Place], processes: int) -> Iterator[Result]:
    """Simulate and replay traces; yield each result when it is known."""
    with ProcessPoolExecutor(processes, max_tasks_per_child=1) as pool:
        tasks = [pool.submit(partial(_run, *place)) for place in places]
        for task in as_completed(tasks):
            yield task.result()


def _run(setting: str, seed: int) -> Result:
    with TemporaryDirectory() as folder:
        return Result(setting, seed, evaluate(make_trace(setting, seed), Path(folder)))


def sum_up(results: Sequence[Result], settings: Sequence[str]) -> dict[str, Tally]:
    """Add up results by setting, in the order of seeds."""
    tallies = {setting: Tally() for setting in settings}
    for result in sorted(results, key=lambda result: result.seed):
        tallies[result.setting].add(result.tally)
    return tallies
