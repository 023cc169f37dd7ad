"""Concurrent look-ups share one round trip."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

GATHER_SECONDS = 0.005


class Batcher(Generic[K, V]):
    """Looks up many keys at once.

    The first batch is sent at the end of the event loop's current iteration, with all keys requested in it. While an
    answer is awaited, further keys are gathered until it arrives or 5 ms have passed. ``ask`` returns answers for all
    its keys, or raises.
    """

    def __init__(self, ask: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, max_keys: int) -> None:
        self._ask = ask
        self._max_keys = max_keys
        self._gathering: dict[K, asyncio.Future[V]] = {}
        self._in_flight: dict[K, asyncio.Future[V]] = {}
        self._batches: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def get(self, key: K) -> V:
        """Return the answer for one key. Raises whatever ``ask`` raises."""
        # Shielded: a caller that gives up must not cancel the answer for the others.
        return await asyncio.shield(self._future(key))

    async def close(self) -> None:
        """Cancel the running batches."""
        if self._timer:
            self._timer.cancel()
        for batch_task in self._batches:
            batch_task.cancel()
        await asyncio.gather(*self._batches, return_exceptions=True)

    def _future(self, key: K) -> asyncio.Future[V]:
        future = self._gathering.get(key) or self._in_flight.get(key)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._gathering[key] = loop.create_future()
            if self._timer is None:
                self._timer = loop.call_later(GATHER_SECONDS if self._batches else 0, self._send)
        return future

    def _send(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        waiting, self._gathering = self._gathering, {}
        keys = list(waiting)
        for start in range(0, len(keys), self._max_keys):
            batch = {key: waiting[key] for key in keys[start : start + self._max_keys]}
            self._in_flight.update(batch)
            batch_task = asyncio.get_running_loop().create_task(self._ask_for(batch))
            self._batches.add(batch_task)
            batch_task.add_done_callback(self._finish)

    async def _ask_for(self, batch: Mapping[K, asyncio.Future[V]]) -> None:
        try:
            answers = await self._ask(list(batch))
        except Exception as error:  # noqa: BLE001 - it is raised to all waiting callers
            for future in batch.values():
                future.set_exception(error)
                future.exception()  # marks the exception as retrieved, in case nobody is waiting any more
        else:
            for key, future in batch.items():
                future.set_result(answers[key])
        finally:
            for key in batch:
                self._in_flight.pop(key, None)

    def _finish(self, batch_task: asyncio.Task[None]) -> None:
        self._batches.discard(batch_task)
        if self._gathering:
            self._send()
