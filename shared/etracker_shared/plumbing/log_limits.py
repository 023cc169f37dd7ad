"""Limits how many lines of one kind are logged, so that visitors can't make a log grow at will."""

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

LINES_PER_MINUTE = 5
MOST_KINDS = 1000

_MINUTE_SECONDS = 60.0
_LABELS = ("method", "route", "status")
"""Fields that distinguish kinds of events: each has few values, whatever visitors send."""


@dataclass
class _Minute:
    began: float
    logged: int = 1
    suppressed: int = 0


class LineLimit(logging.Filter):
    """Lets a few lines of each kind through per minute; the next line after that says how many were suppressed.

    A kind is the place in the code that logs, the type of an exception, and the labels. Debug lines aren't limited.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._minutes: dict[tuple[object, ...], _Minute] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log a record."""
        if record.levelno < logging.INFO:
            return True
        kind, now = _kind(record), self._clock()
        minute = self._minutes.get(kind)
        if minute is None or now - minute.began >= _MINUTE_SECONDS:
            return self._begin(record, kind, now, minute.suppressed if minute else 0)
        if minute.logged < LINES_PER_MINUTE:
            minute.logged += 1
            return True
        minute.suppressed += 1
        return False

    def _begin(self, record: logging.LogRecord, kind: tuple[object, ...], now: float, suppressed: int) -> bool:
        if len(self._minutes) >= MOST_KINDS:
            self._minutes.clear()
        self._minutes[kind] = _Minute(now)
        if suppressed:
            _tell(record, suppressed)
        return True


def _kind(record: logging.LogRecord) -> tuple[object, ...]:
    event: dict[str, object] = record.msg if isinstance(record.msg, dict) else {}
    return (record.pathname, record.lineno, _exception(record, event), *(event.get(label) for label in _LABELS))


def _exception(record: logging.LogRecord, event: dict[str, object]) -> type[BaseException] | None:
    given = record.exc_info or event.get("exc_info")
    if given is True:
        return sys.exc_info()[0]
    if isinstance(given, BaseException):
        return type(given)
    return given[0] if isinstance(given, tuple) else None


def _tell(record: logging.LogRecord, suppressed: int) -> None:
    if isinstance(record.msg, dict):
        record.msg = {**record.msg, "suppressed": suppressed}
    else:
        record.msg, record.args = f"{record.getMessage()} (suppressed: {suppressed})", ()
