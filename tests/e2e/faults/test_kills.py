"""``kill -9`` of any process under load: what was acknowledged is in the statistics once."""

import asyncio
import sys
from collections.abc import Iterator

import pytest

from tests.e2e.faults.accounts import assert_acknowledged_counted, assert_statistics_equal, make_sessions
from tests.support.load import Load
from tests.support.stack import StackRun, running_stack

ANNOUNCES_PER_SECOND = 2000.0
PROCESSES = ("announce-1", "scoring", "scoring_worker", "admin_api", "postgres", "gateway", "redis")
"""Redis last: it alone may forget what it acknowledged in its last 2 s; each client's next announce heals that."""


@pytest.fixture(scope="module")
def stack() -> Iterator[StackRun]:
    with running_stack() as run:
        yield run


def announce_address(stack: StackRun) -> tuple[str, int]:
    """Announce's own port: the gateway isn't part of what is counted here."""
    host, port = stack.announce_addresses[0].rsplit(":", 1)
    return host, int(port)


@pytest.mark.timeout(240)
async def test_whatever_is_killed_every_acknowledged_announce_is_counted_once(stack: StackRun) -> None:
    sessions = await make_sessions(stack.postgres_settings(), keys=1000, torrents=200, per_key=2)
    load = Load(announce_address(stack), sessions)
    await load.announce_all_once()
    for name in PROCESSES:
        running = asyncio.create_task(load.run(per_second=ANNOUNCES_PER_SECOND, seconds=60))
        await asyncio.sleep(1.5)
        before = load.tally.acknowledged
        old_pid = stack.kill(name)
        await asyncio.to_thread(stack.wait_for_new, name, old_pid)
        load.end_after(seconds=1.5)
        await running
        sys.stdout.write(f"{name}: {load.rate():,.0f} announces/s were asked for while it was killed and came back\n")
        assert load.tally.acknowledged > before, f"no announce was acknowledged after {name} was killed"
        if name != "redis":
            tally = load.tally
            await assert_acknowledged_counted(
                stack.postgres_settings(), sessions, acknowledged=tally.acknowledged, sent=tally.sent
            )
        await load.announce_all_once(attempts=20)
        await assert_statistics_equal(stack.postgres_settings(), sessions)
    load.close()
