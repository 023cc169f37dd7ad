"""Concurrent lookups that share one query."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

MAX_BATCH = 1000

WantedT = TypeVar("WantedT")
FoundT = TypeVar("FoundT")


class Batches(Generic[WantedT, FoundT]):
    """Runs one query at a time, each for everything requested since the previous one started.

    However many callers try keys at once, they occupy one connection, and nobody waits for more than two queries.
    """

    def __init__(self, look_up: Callable[[Sequence[WantedT]], Awaitable[Mapping[WantedT, FoundT]]]) -> None:
        self._look_up = look_up
        self._waiting: dict[WantedT, asyncio.Future[FoundT | None]] = {}
        self._work: asyncio.Task[None] | None = None

    async def find(self, wanted: WantedT) -> FoundT | None:
        """Return what is stored now, or None; raises what the query raises."""
        answer = self._waiting.get(wanted)
        if answer is None:
            answer = self._waiting[wanted] = asyncio.get_running_loop().create_future()
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._answer_all())
        return await asyncio.shield(answer)  # others may be waiting for the same answer

    async def _answer_all(self) -> None:
        while self._waiting:
            batch = dict(islice(self._waiting.items(), MAX_BATCH))
            for wanted in batch:
                del self._waiting[wanted]
            try:
                found = await self._look_up(list(batch))
            except Exception as error:  # noqa: BLE001 - the callers handle it
                self._fail(batch, error)
            else:
                for wanted, answer in batch.items():
                    answer.set_result(found.get(wanted))

    def _fail(self, batch: Mapping[WantedT, asyncio.Future[FoundT | None]], error: Exception) -> None:
        """Fail the callers waiting for the next query too, so that they don't wait for two timeouts."""
        for answer in (*batch.values(), *self._waiting.values()):
            answer.set_exception(error)
            answer.exception()  # if the caller has left, asyncio would log an exception that was never retrieved
        self._waiting.clear()
