"""Lines of one kind are limited whichever way they are logged, and those of others aren't suppressed with them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from etracker_shared.plumbing.log_limits import LINES_PER_MINUTE, LineLimit
from etracker_shared.plumbing.logs import configure_logging


class Log:
    """What was logged, by a clock that a test turns."""

    def __init__(self) -> None:
        self.now = 0.0
        self._stream = io.StringIO()
        [handler] = logging.getLogger().handlers
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(self._stream)
        handler.filters[:] = [LineLimit(lambda: self.now)]

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("debug")
    yield Log()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _fail(error: Exception) -> None:
    structlog.get_logger("a").error("failed", exc_info=error)


def test_a_line_that_is_repeated_is_suppressed_and_counted_within_the_next(log: Log) -> None:
    for number in range(1000):
        if number == 999:
            log.now = 60.0
        structlog.get_logger("a").info("asked", number=number)
    assert [line["number"] for line in log.lines()] == [*range(LINES_PER_MINUTE), 999]
    assert log.lines()[-1]["suppressed"] == 999 - LINES_PER_MINUTE


def test_a_library_s_line_is_suppressed_too_whatever_it_says(log: Log) -> None:
    for number in range(1000):
        if number == 999:
            log.now = 60.0
        logging.getLogger("uvicorn.error").warning("Invalid request %d", number)
    assert len(log.lines()) == LINES_PER_MINUTE + 1
    assert log.lines()[-1]["event"] == f"Invalid request 999 (suppressed: {999 - LINES_PER_MINUTE})"


def test_another_exception_and_another_label_are_another_kind(log: Log) -> None:
    for _ in range(20):
        _fail(ValueError())
        _fail(KeyError())
        for status in (200, 503):
            structlog.get_logger("a").info("request", method="POST", route="/a", status=status)
    assert len(log.lines()) == 4 * LINES_PER_MINUTE


def test_an_operator_who_wants_every_line_gets_it(log: Log) -> None:
    for _ in range(20):
        structlog.get_logger("a").debug("asked")
    assert len(log.lines()) == 20
