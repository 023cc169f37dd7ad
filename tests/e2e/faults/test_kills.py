"""``kill -9`` of any process under load: every acknowledged announce is in the statistics exactly once."""

import asyncio
import sys
from collections.abc import Iterator

import pytest

from tests.support.accounts import assert_acknowledged_counted, assert_statistics_equal, make_sessions
from tests.support.load import UNLIMITED, Load
from tests.support.stack import StackRun, running_stack

ANNOUNCES_PER_SECOND = 2000.0
CONNECTIONS = 256
"""Enough for the rate at answers that take an eighth of a second, as they may on a busy machine after a kill."""
PROCESSES = ("announce-1", "scoring", "scoring_worker", "admin_api", "postgres", "gateway", "redis")
"""Redis last: it alone may forget what it acknowledged in its last 2 s; each client's next announce heals that."""

WORKERS = ("scoring_worker-1", "scoring_worker-2", "scoring_worker-3")


@pytest.fixture(scope="module")
def stack() -> Iterator[StackRun]:
    with running_stack(UNLIMITED) as run:
        yield run


def announce_address(stack: StackRun) -> tuple[str, int]:
    """Announce's own port: what the gateway does isn't tested here."""
    host, port = stack.announce_addresses[0].rsplit(":", 1)
    return host, int(port)


@pytest.mark.timeout(240)
async def test_whatever_is_killed_every_acknowledged_announce_is_counted_once(stack: StackRun) -> None:
    sessions = await make_sessions(stack.postgres_settings(), keys=1000, torrents=200, per_key=2)
    load = Load(announce_address(stack), sessions, connections=CONNECTIONS)
    await load.announce_all_once()
    for name in PROCESSES:
        acknowledged = await kill_under_load(stack, load, name)
        under = f"{name} was killed under {load.rate():,.0f} of {ANNOUNCES_PER_SECOND:,.0f} announces/s"
        sys.stdout.write(f"{under}\n")
        assert acknowledged > 0, f"{under}, and none was acknowledged afterwards"
        try:
            await assert_nothing_lost(stack, load, may_forget=name == "redis")
        except AssertionError as error:
            raise AssertionError(f"{under}: {error}") from error
    load.close()


@pytest.fixture
def stack_of_three_workers() -> Iterator[StackRun]:
    with running_stack({**UNLIMITED, "ETRACKER_SCORING_WORKERS": str(len(WORKERS))}) as run:
        yield run


@pytest.mark.timeout(150)
async def test_whichever_of_three_workers_is_killed_every_acknowledged_announce_is_counted_once(
    stack_of_three_workers: StackRun,
) -> None:
    stack = stack_of_three_workers
    sessions = await make_sessions(stack.postgres_settings(), keys=1000, torrents=200, per_key=2)
    load = Load(announce_address(stack), sessions, connections=CONNECTIONS)
    await load.announce_all_once()
    for name in WORKERS:
        assert await kill_under_load(stack, load, name) > 0, (
            f"{name} was killed, and nothing was acknowledged afterwards"
        )
    under = f"three workers were killed in turn under {load.rate():,.0f} of {ANNOUNCES_PER_SECOND:,.0f} announces/s"
    sys.stdout.write(f"{under}\n")
    await assert_nothing_lost(stack, load, may_forget=False)
    load.close()


async def kill_under_load(stack: StackRun, load: Load, name: str) -> int:
    """Kill a process under load and wait until it is back; return how many announces were acknowledged since."""
    running = asyncio.create_task(load.run(per_second=ANNOUNCES_PER_SECOND, seconds=60))
    await asyncio.sleep(1.5)
    before = load.tally.acknowledged
    old_pid = stack.kill(name)
    await asyncio.to_thread(stack.wait_for_new, name, old_pid)
    load.end_after(seconds=1.5)
    await running
    return load.tally.acknowledged - before


async def assert_nothing_lost(stack: StackRun, load: Load, *, may_forget: bool) -> None:
    settings, tally = stack.postgres_settings(), load.tally
    if not may_forget:
        await assert_acknowledged_counted(settings, load.sessions, acknowledged=tally.acknowledged, sent=tally.sent)
    await load.announce_all_once(attempts=20)
    await assert_statistics_equal(settings, load.sessions)
