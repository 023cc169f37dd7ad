"""A limit on the number of large request bodies in memory at the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from etracker_admin_api.errors import RoomFullError


class Room:
    """A number of places; if all are taken, callers wait ``patience_seconds`` for one."""

    def __init__(self, places: int, patience_seconds: float) -> None:
        self._free = asyncio.Semaphore(places)
        self._patience_seconds = patience_seconds

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Take a place until the block ends.

        Raises:
            RoomFullError: no place became free in time.
        """
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise RoomFullError from None
        try:
            yield
        finally:
            self._free.release()
