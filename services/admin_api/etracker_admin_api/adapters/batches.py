"""Many lookups at once as one query."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

MAX_BATCH = 1000

WantedT = TypeVar("WantedT")
FoundT = TypeVar("FoundT")


class Batches(Generic[WantedT, FoundT]):
    """Runs one query at a time, each for everything that was asked for since the previous one began.

    However many callers guess at once, they occupy one connection, and nobody waits for more than two queries.
    """

    def __init__(self, look_up: Callable[[Sequence[WantedT]], Awaitable[Mapping[WantedT, FoundT]]]) -> None:
        self._look_up = look_up
        self._waiting: dict[WantedT, asyncio.Future[FoundT | None]] = {}
        self._work: asyncio.Task[None] | None = None

    async def find(self, wanted: WantedT) -> FoundT | None:
        """Return what is stored now, or None; raise what the query raises."""
        answer = self._waiting.get(wanted)
        if answer is None:
            answer = self._waiting[wanted] = asyncio.get_running_loop().create_future()
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._answer_all())
        return await asyncio.shield(answer)  # others may wait for the same

    async def _answer_all(self) -> None:
        while self._waiting:
            batch = dict(islice(self._waiting.items(), MAX_BATCH))
            for wanted in batch:
                del self._waiting[wanted]
            try:
                found = await self._look_up(list(batch))
            except Exception as error:  # noqa: BLE001 - it is the callers' to handle
                self._fail(batch, error)
            else:
                for wanted, answer in batch.items():
                    answer.set_result(found.get(wanted))

    def _fail(self, batch: Mapping[WantedT, asyncio.Future[FoundT | None]], error: Exception) -> None:
        """Fail those who wait for the next query too: otherwise they would wait for two timeouts."""
        for answer in (*batch.values(), *self._waiting.values()):
            answer.set_exception(error)
            answer.exception()  # the caller may have left, and asyncio logs what nobody retrieved
        self._waiting.clear()
