"""Work that runs in the background for as long as the service does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from structlog import get_logger

log = get_logger("admin_api")


@dataclass(frozen=True, slots=True)
class Work:
    """Something to keep running. ``outages``: failures that pass by themselves, logged without a traceback."""

    name: str
    run: Callable[[], Awaitable[object]]
    outages: tuple[type[Exception], ...] = ()
    restart_seconds: float = 5.0


@asynccontextmanager
async def running(*works: Work) -> AsyncIterator[None]:
    """Keep works running until the block ends; log each failure, and start that work again after a pause."""
    tasks = [asyncio.create_task(_keep_running(work), name=work.name) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _keep_running(work: Work) -> None:
    while True:
        try:
            await work.run()
        except work.outages as error:
            log.warning("background_work_waits", work=work.name, reason=type(error).__name__)
        except Exception:
            log.exception("background_work_failed", work=work.name)
        await asyncio.sleep(work.restart_seconds)
