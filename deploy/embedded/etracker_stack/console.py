"""What the person who started the stack sees: one line an event, then one block."""

import sys
import time
from collections.abc import Sequence


class Console:
    """Lines on standard output, each with the seconds since the start; problems on standard error."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Tell of progress."""
        print(f"[{time.monotonic() - self._began:6.1f} s] {text}", flush=True)

    def complain(self, text: str) -> None:
        """Tell of a problem."""
        print(f"[{time.monotonic() - self._began:6.1f} s] {text}", file=sys.stderr, flush=True)

    def block(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Show names and values, aligned, between two rules."""
        width = max(len(name) for name, _ in rows)
        lines = [f"  {name:<{width}}  {value}" for name, value in rows]
        rule = "-" * max(len(line) for line in [*lines, title])
        print("\n".join(["", rule, title, "", *lines, rule, ""]), flush=True)
