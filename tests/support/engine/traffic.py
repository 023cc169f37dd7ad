"""Clients that keep announcing while the product's containers change."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.support.engine.product import Product
from tests.support.load import Load, Session
from tests.support.waiting import eventually

PER_SECOND = 60.0
_LONGEST = 1800.0
_PATIENCE = 30.0
"""Seconds that a client waits for an answer: longer than a request waits at the gateway."""


class Traffic:
    """A load on one port that runs until its block ends."""

    def __init__(self, product: Product, port: int, sessions: Sequence[Session]) -> None:
        self._product, self._port = product, port
        self.load = Load((product.place.tracker, port), sessions, connections=16, timeout_seconds=_PATIENCE)

    @property
    def failures(self) -> dict[str, int]:
        """What clients received instead of an answer, with its count."""
        return self.load.tally.failures

    @property
    def longest_silence(self) -> float:
        """The longest time between two answers so far, in seconds."""
        return self.load.tally.longest_silence()

    async def go_on(self, announces: int = 120) -> None:
        """Return when this many more announces have been answered."""
        wanted = self.load.tally.acknowledged + announces

        async def enough() -> bool:
            return self.load.tally.acknowledged >= wanted

        await eventually(enough, f"{announces} more announces are answered", seconds=120)

    async def settle(self) -> None:
        """Let every session announce, and wait until all that was acknowledged is credited.

        Raises:
            AssertionError: something was lost or counted twice.
        """
        await self.load.announce_all_once(attempts=20)
        self.load.close()
        expected = sum(session.credit for session in self.load.sessions)

        async def all_credited() -> bool:
            return await asyncio.to_thread(self._product.credited, self.load.sessions) == expected

        await eventually(all_credited, f"{expected} bytes are credited", seconds=60)

    def report(self) -> None:
        """Print how the load went."""
        tally = self.load.tally
        told = f"{tally.acknowledged} announces at port {self._port}, {sum(tally.failures.values())} failed"
        failing = f" within {tally.failed_at[-1] - tally.failed_at[0]:.2f} s" if tally.failed_at else ""
        sys.stdout.write(f"{told}{failing} {tally.failures}, longest silence {self.longest_silence:.2f} s\n")


@asynccontextmanager
async def traffic(product: Product, port: int, *, sessions: Sequence[Session]) -> AsyncIterator[Traffic]:
    """Let these sessions announce at one port until the block ends."""
    running = Traffic(product, port, sessions)
    await running.load.announce_all_once(attempts=20)
    task = asyncio.create_task(running.load.run(per_second=PER_SECOND, seconds=_LONGEST))
    try:
        yield running
    finally:
        running.load.end_after(0)
        await task
        running.report()
        running.load.close()
