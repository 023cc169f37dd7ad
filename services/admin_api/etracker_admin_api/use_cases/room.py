"""How many large request bodies are held in memory at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class RoomFullError(Exception):
    """Every place was taken for as long as a caller may wait."""


class Room:
    """A number of places; whoever finds none waits a moment for one."""

    def __init__(self, places: int, patience_seconds: float) -> None:
        self._free = asyncio.Semaphore(places)
        self._patience_seconds = patience_seconds

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Take a place until the block ends.

        Raises:
            RoomFullError: there is none.
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
