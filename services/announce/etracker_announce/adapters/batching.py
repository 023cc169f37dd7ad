"""Concurrent questions travel together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

COMPANY_SECONDS = 0.005


class Batcher(Generic[K, V]):
    """Asks for many keys at once.

    The first question leaves as soon as the loop has seen who else asks in the same turn. While an
    answer is awaited, further questions gather until it is there or 5 ms have passed.
    ``ask`` answers every key it is given, or raises for all of them.
    """

    def __init__(self, ask: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, max_keys: int) -> None:
        self._ask = ask
        self._max_keys = max_keys
        self._gathering: dict[K, asyncio.Future[V]] = {}
        self._in_flight: dict[K, asyncio.Future[V]] = {}
        self._flights: set[asyncio.Task[None]] = set()
        self._departure: asyncio.TimerHandle | None = None

    async def get(self, key: K) -> V:
        """Return the answer for one key; whatever ``ask`` raises is raised here too."""
        # Shielded: one asker that gives up takes the answer from nobody else.
        return await asyncio.shield(self._future(key))

    async def close(self) -> None:
        """Give up what is under way."""
        if self._departure:
            self._departure.cancel()
        for flight in self._flights:
            flight.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)

    def _future(self, key: K) -> asyncio.Future[V]:
        future = self._gathering.get(key) or self._in_flight.get(key)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._gathering[key] = loop.create_future()
            if self._departure is None:
                self._departure = loop.call_later(COMPANY_SECONDS if self._flights else 0, self._depart)
        return future

    def _depart(self) -> None:
        if self._departure:
            self._departure.cancel()
            self._departure = None
        waiting, self._gathering = self._gathering, {}
        keys = list(waiting)
        for start in range(0, len(keys), self._max_keys):
            batch = {key: waiting[key] for key in keys[start : start + self._max_keys]}
            self._in_flight.update(batch)
            flight = asyncio.get_running_loop().create_task(self._fly(batch))
            self._flights.add(flight)
            flight.add_done_callback(self._land)

    async def _fly(self, batch: Mapping[K, asyncio.Future[V]]) -> None:
        try:
            answers = await self._ask(list(batch))
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to those who wait
            for future in batch.values():
                future.set_exception(error)
                future.exception()  # a question nobody waits for is no forgotten error
        else:
            for key, future in batch.items():
                future.set_result(answers[key])
        finally:
            for key in batch:
                self._in_flight.pop(key, None)

    def _land(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        if self._gathering:
            self._depart()
