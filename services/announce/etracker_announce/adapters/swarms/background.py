"""Work that is repeated for as long as the process runs, even if one repetition fails."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from etracker_announce.ports import SwarmsUnavailableError

_log = structlog.get_logger(__name__)


async def repeat(work: Callable[[], Awaitable[object]], pause_seconds: float) -> None:
    """Repeat ``work`` until cancelled, with a pause after each turn."""
    while True:
        try:
            await work()
        except SwarmsUnavailableError as error:
            _log.debug("background work has to wait for redis", work=work.__qualname__, reason=str(error))
        except Exception:  # noqa: BLE001 - logged in full, and the next turn may work
            _log.exception("background work failed", work=work.__qualname__)
        await asyncio.sleep(pause_seconds)
