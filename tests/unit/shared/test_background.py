"""Background work: what fails is logged and started again, whatever it fails with."""

import asyncio
import contextlib

import pytest
from structlog.testing import capture_logs

from etracker_shared.plumbing.background import Work, keep_running, running, stop


class OutageError(Exception):
    """Something that passes by itself."""


class Attempts:
    """Work that fails with each of some errors in turn, and then runs on."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.settled = asyncio.Event()

    async def run(self) -> None:
        if self._errors:
            raise self._errors.pop(0)
        self.settled.set()
        await asyncio.Event().wait()


async def logged(attempts: Attempts) -> list[tuple[str, str]]:
    """Run work until it runs on; return level and event of each line."""
    with capture_logs() as lines:
        work = Work("counting", attempts.run, outages=(OutageError,), restart_seconds=0.001)
        async with running(work), asyncio.timeout(5):
            await attempts.settled.wait()
    assert {line["work"] for line in lines} <= {"counting"}
    return [(line["log_level"], line["event"]) for line in lines]


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyError("x"), OSError("gone"), RuntimeError()])
async def test_work_that_fails_with_anything_is_logged_and_starts_again(error: Exception) -> None:
    assert await logged(Attempts(error, error)) == [("error", "background_work_failed")] * 2


async def test_an_outage_is_one_line_however_long_it_lasts() -> None:
    outages = [OutageError("down") for _ in range(5)]
    assert await logged(Attempts(*outages)) == [("warning", "background_work_waits")]


async def test_one_work_that_fails_leaves_the_others_alone() -> None:
    good, bad = Attempts(), Attempts(*(ValueError() for _ in range(3)))
    with capture_logs():
        works = [Work(name, one.run, restart_seconds=0.001) for name, one in (("good", good), ("bad", bad))]
        async with running(*works), asyncio.timeout(5):
            await good.settled.wait()
            await bad.settled.wait()


async def test_work_that_returns_is_done() -> None:
    runs: list[int] = []

    async def load() -> None:
        runs.append(1)

    async with asyncio.timeout(5):
        await keep_running(Work("loading", load, restart_seconds=0))
    assert runs == [1]


async def test_work_to_be_repeated_runs_again_after_it_returned_and_after_it_failed() -> None:
    enough = asyncio.Event()
    runs: list[int] = []

    async def run() -> None:
        runs.append(len(runs))
        if len(runs) == 2:
            raise OSError("down")
        if len(runs) == 4:
            enough.set()

    async with running(Work("turns", run, (OSError,), restart_seconds=0, repeat_seconds=0)):
        await enough.wait()
    assert runs[:4] == [0, 1, 2, 3]


async def test_the_block_ends_with_its_works_though_one_swallows_a_cancellation() -> None:
    ended = asyncio.Event()
    began = asyncio.Event()

    async def stubborn() -> None:
        began.set()
        with contextlib.suppress(asyncio.CancelledError):  # as asyncio's own timeouts may (gh-86296)
            await asyncio.Event().wait()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with running(Work("stubborn", stubborn)):
        await began.wait()
    assert ended.is_set()


async def test_works_within_works_have_ended_however_often_the_outer_one_is_cancelled() -> None:
    """The kind: a task that outlives what it uses, because whoever waited for its end was cancelled a second time."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        begun.set()
        try:
            for _ in range(2):
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def outer() -> None:
        async with running(Work("stubborn", stubborn)):
            await asyncio.Event().wait()

    task = asyncio.create_task(outer())
    await begun.wait()
    await stop(task)
    assert task.cancelled()
    assert ended.is_set()


async def test_an_error_of_the_block_is_raised_and_ends_the_works() -> None:
    attempts = Attempts()

    async def serve() -> None:
        async with running(Work("counting", attempts.run)):
            await attempts.settled.wait()
            raise ValueError("the service's own")

    with pytest.raises(ValueError, match="the service's own"):
        await serve()
    assert asyncio.all_tasks() == {asyncio.current_task()}
