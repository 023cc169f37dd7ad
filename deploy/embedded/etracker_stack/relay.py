"""Shows errors from the children's logs on the console, but no more than a person can read."""

import asyncio
import json
import re
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

from etracker_stack.console import Console

PAUSE_SECONDS = 0.5
SHOWN_PER_MINUTE = 10
REPEAT_SECONDS = 60.0
"""Time before the same error of a process is shown again."""
_LEVELS = {"error", "critical", "fatal", "panic"}


@dataclass
class _Errors:
    """The errors of one child that the console hasn't shown yet, and those that it showed last."""

    waiting: int = 0
    latest: str = ""
    quoted: str = ""
    shown: deque[float] = field(default_factory=lambda: deque(maxlen=SHOWN_PER_MINUTE))

    def may_be_shown(self) -> bool:
        if not self.waiting or not self.shown:
            return self.waiting > 0
        now = time.monotonic()
        if _without_prefix(self.latest) == self.quoted and now - self.shown[-1] < REPEAT_SECONDS:
            return False
        return len(self.shown) < SHOWN_PER_MINUTE or now - self.shown[0] > 60


class ErrorRelay:
    """Receives every line of every child."""

    def __init__(self, console: Console, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._console = console
        self._pause_seconds = pause_seconds
        self._errors: dict[str, _Errors] = defaultdict(_Errors)
        self._waiting = asyncio.Event()

    def take(self, name: str, line: str) -> None:
        """Look at one line of a child's log."""
        if told := told_error(line):
            errors = self._errors[name]
            errors.waiting += 1
            errors.latest = told
            self._waiting.set()

    async def run(self) -> None:
        """Show errors until cancelled, then the remaining ones."""
        try:
            while True:
                await self._waiting.wait()
                await asyncio.sleep(self._pause_seconds)
                self._show()
                if not any(errors.waiting for errors in self._errors.values()):
                    self._waiting.clear()
        finally:
            self._show()

    def _show(self) -> None:
        for name, errors in self._errors.items():
            if errors.may_be_shown():
                more = f" (and {errors.waiting - 1} more in its log)" if errors.waiting > 1 else ""
                self._console.complain(f"{name}: {errors.latest}{more}")
                errors.waiting = 0
                errors.quoted = _without_prefix(errors.latest)
                errors.shown.append(time.monotonic())


def _without_prefix(error: str) -> str:
    """Remove the time and the process id that Postgres puts before its messages."""
    return re.sub(r"^.*?(?=FATAL: |PANIC: )", "", error)


def told_error(line: str) -> str | None:
    """Return the message of a log line that reports an error, otherwise None."""
    if "FATAL: " in line or "PANIC: " in line:
        return line[-300:]
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    if event.get("level") not in _LEVELS:
        return None
    parts = (event.get("event") or event.get("msg"), event.get("error"), _cause(event.get("exception")))
    return " - ".join(str(part) for part in parts if part)[:300]


def _cause(exception: object) -> str | None:
    return str(exception).splitlines()[-1] if exception else None
