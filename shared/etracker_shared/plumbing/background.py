"""Work that runs in the background while a service runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from structlog import get_logger

RESTART_SECONDS = 5.0

log = get_logger("background")


@dataclass(frozen=True)
class Work:
    """Something to keep running.

    ``outages``: exceptions for temporary conditions, such as a server that is down. Only the first in a
    row is logged, as one line without a traceback. ``restart_seconds``: pause before the work is started again.
    ``repeat_seconds``: pause before work that has returned is run again; None if it isn't repeated.
    """

    name: str
    run: Callable[[], Awaitable[object]]
    outages: tuple[type[Exception], ...] = ()
    restart_seconds: float = RESTART_SECONDS
    repeat_seconds: float | None = None


async def keep_running(work: Work) -> None:
    """Run work until it returns, or again and again if it is to be repeated. If it fails, log why and start it again.

    An outage is logged again only after a failure of another kind. Work that can run for a while between failures
    has to log its own recovery.
    """
    reported = ""
    while True:
        try:
            await work.run()
        except work.outages as error:
            reason = f"{type(error).__name__}: {error}"
            if reason != reported:
                log.warning("background_work_waits", work=work.name, reason=reason)
            reported = reason
        except Exception:
            log.exception("background_work_failed", work=work.name)
            reported = ""
        else:
            reported = ""
            if work.repeat_seconds is None:
                return
            await asyncio.sleep(work.repeat_seconds)
            continue
        await asyncio.sleep(work.restart_seconds)


@asynccontextmanager
async def running(*works: Work) -> AsyncIterator[None]:
    """Keep all of this work running until the block ends."""
    tasks = [asyncio.create_task(keep_running(work), name=work.name) for work in works]
    try:
        yield
    finally:
        await stop(*tasks)


async def stop(*tasks: "asyncio.Future[Any]") -> None:
    """Cancel tasks and wait until they have ended, even if the caller is cancelled in the meantime.

    Otherwise whoever cancels the caller more than once, as this function does, would leave the tasks running.
    """
    cancelled: asyncio.CancelledError | None = None
    while not all(task.done() for task in tasks):
        for task in tasks:  # more than once: the call a task awaits may swallow a cancellation (gh-86296)
            task.cancel()
        try:
            await asyncio.wait(tasks, timeout=1.0)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
