"""Shows on the console what the children log as errors."""

import asyncio
import json
from pathlib import Path

from etracker_stack.console import Console

POLL_SECONDS = 0.5
LONGEST_READ_BYTES = 65536
_LEVELS = {"error", "critical", "fatal", "panic"}


class ErrorRelay:
    """Follows every log in a directory, from its end at the time of the first look."""

    def __init__(self, logs: Path, console: Console) -> None:
        self._logs = logs
        self._console = console
        self._read_to: dict[Path, int] = {}

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            for log in self._logs.glob("*.log"):
                self._follow(log)
            await asyncio.sleep(POLL_SECONDS)

    def _follow(self, log: Path) -> None:
        size = log.stat().st_size
        start = self._read_to.get(log, size)
        self._read_to[log] = size
        if size <= start:
            return
        with log.open("rb") as file:
            file.seek(max(start, size - LONGEST_READ_BYTES))
            lines = file.read(size - start).decode(errors="replace").splitlines()
        errors = [told for line in lines if (told := told_error(line))]
        if errors:
            more = f" (and {len(errors) - 1} more in {log})" if len(errors) > 1 else ""
            self._console.complain(f"{log.stem}: {errors[-1]}{more}")


def told_error(line: str) -> str | None:
    """Return what a log line tells as an error, else None."""
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
