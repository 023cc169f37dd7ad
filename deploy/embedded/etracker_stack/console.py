"""The stack's output for the person who started it: one line per event, then a summary."""

import contextlib
import sys
import time
from collections.abc import Sequence
from typing import TextIO


class Console:
    """Lines on standard output, each with the seconds since the start; problems on standard error."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Report progress."""
        self._print(f"[{time.monotonic() - self._began:6.1f} s] {text}", sys.stdout)

    def complain(self, text: str) -> None:
        """Report a problem."""
        self._print(f"[{time.monotonic() - self._began:6.1f} s] {text}", sys.stderr)

    def block(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Show names and values, aligned, between two rules."""
        width = max(len(name) for name, _ in rows)
        lines = [f"  {name:<{width}}  {value}" for name, value in rows]
        rule = "-" * max(len(line) for line in [*lines, title])
        self._print("\n".join(["", rule, title, "", *lines, rule, ""]), sys.stdout)

    @staticmethod
    def _print(text: str, stream: TextIO) -> None:
        with contextlib.suppress(OSError):  # standard output may be a file on a full disk, or a closed terminal
            print(text, file=stream, flush=True)
