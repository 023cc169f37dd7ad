"""The connections that are open and the requests being answered, so that nothing is cut off when the service stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

POLL_SECONDS = 0.01


class Closable(Protocol):
    """A connection."""

    def shutdown(self) -> None:
        """Answer the requests that are running or still arriving, then close."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class OpenConnections:
    """Connections and tasks that have to end before the service does."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.connections: set[Closable] = set()
        self.tasks: set[asyncio.Task[Any]] = set()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is open and nothing is being answered."""
        return not self.connections and not self.tasks

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task that has to end before the service does."""
        task = self._loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def drain(self, seconds: float) -> None:
        """Wait until everything has ended; whatever hasn't after ``seconds`` is cut off."""
        try:
            async with asyncio.timeout(seconds):
                while not self.is_empty:  # noqa: ASYNC110 - an event would have to be set for every request
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            for connection in list(self.connections):
                connection.abort()
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
