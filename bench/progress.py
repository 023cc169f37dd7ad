"""Shows the progress of a benchmark."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars


class Advance:
    """The bar of one stage; called with the number of announces answered since the last call."""

    def __init__(self, bars: Bars, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def __call__(self, count: float) -> None:
        """Advance the bar."""
        self._bars.advance(self._task, count)

    def say(self, what: str) -> None:
        """Write a line above the bar."""
        self._bars.console.print(what, highlight=False)

    def describe(self, doing: str) -> None:
        """Show what is being done."""
        self._bars.update(self._task, description=doing)


class Progress:
    """Bars on standard error, one per stage; one line per stage if it isn't a terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)

    def say(self, what: str) -> None:
        """Write a line."""
        self._console.print(what, highlight=False)

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Advance]:
        """Show a stage of ``total`` steps while it runs."""
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn())
        with Bars(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=self._console) as bars:
            if not self._console.is_terminal:
                self._console.print(f"{name} ...")
            yield Advance(bars, bars.add_task(name, total=total))
