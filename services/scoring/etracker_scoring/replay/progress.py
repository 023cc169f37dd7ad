"""A progress bar on standard error, if that is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

Advance = Callable[[int, int], None]
"""Is told how far the work is, in the unit of its total, and the number of announces so far."""


@contextmanager
def show_progress(total: int | None) -> Iterator[Advance]:
    """Show how much of ``total`` is done, the announces so far, and the time it will still take."""
    console = Console(stderr=True)
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[announces]:,} announces"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=total, announces=0)
        yield lambda done, announces: progress.update(task, completed=done, announces=announces)
