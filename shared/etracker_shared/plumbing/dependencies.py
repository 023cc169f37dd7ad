"""Whether what a service needs answers, as a metric."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

Outcome = bool | str | None

Check = Callable[[], Awaitable[Outcome]]
"""Returns True or None if a dependency answers; otherwise False, or a sentence that says what is wrong with it."""

PATIENCE_SECONDS = 0.5
"""How long metrics wait for checks. A dependency that takes longer counts as not ready until it has answered."""


def passed(outcome: Outcome) -> bool:
    """Return whether the outcome of a check means that the dependency answers."""
    return outcome in (True, None)


class Dependencies(Collector):
    """The outcomes of the latest checks. A check that hangs isn't started again before it has ended."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._running: dict[str, asyncio.Future[Outcome]] = {}
        self._ready: dict[str, bool] = {}

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the outcomes."""
        family = GaugeMetricFamily(
            "etracker_dependency_ready", "1 if what this process needs answers, by what it is.", labels=["dependency"]
        )
        for name, ready in self._ready.items():
            family.add_metric([name], ready)
        return (family,)

    async def check(self) -> None:
        """Run all checks at the same time."""
        for name, check in self._checks.items():
            if name not in self._running:
                self._running[name] = asyncio.ensure_future(check())
        if self._running:
            await asyncio.wait(self._running.values(), timeout=PATIENCE_SECONDS)
        for name, running in list(self._running.items()):
            self._ready[name] = running.done() and not running.exception() and passed(running.result())
            if running.done():
                del self._running[name]
