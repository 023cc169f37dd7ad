"""The metric of dependencies tells what checks found, and never waits for one that hangs."""

import asyncio
import time

from prometheus_client import CollectorRegistry

from etracker_shared.plumbing.dependencies import PATIENCE_SECONDS, Dependencies


def readiness(registry: CollectorRegistry, name: str) -> float | None:
    return registry.get_sample_value("etracker_dependency_ready", {"dependency": name})


async def test_each_dependency_is_ready_or_not() -> None:
    async def answers() -> bool:
        return True

    async def complains() -> str:
        return "It is full."

    async def breaks() -> bool:
        raise OSError

    registry = CollectorRegistry()
    dependencies = Dependencies({"one": answers, "two": complains, "three": breaks})
    registry.register(dependencies)
    await dependencies.check()
    assert [readiness(registry, name) for name in ("one", "two", "three")] == [1.0, 0.0, 0.0]


async def test_a_check_that_hangs_delays_metrics_by_half_a_second_and_runs_once() -> None:
    answered, started = asyncio.Event(), 0

    async def hangs() -> bool:
        nonlocal started
        started += 1
        return await answered.wait()

    registry = CollectorRegistry()
    dependencies = Dependencies({"one": hangs})
    registry.register(dependencies)
    before = time.monotonic()
    await dependencies.check()
    await dependencies.check()
    assert time.monotonic() - before >= PATIENCE_SECONDS
    assert (started, readiness(registry, "one")) == (1, 0.0)
    answered.set()
    await dependencies.check()
    assert (started, readiness(registry, "one")) == (1, 1.0)
