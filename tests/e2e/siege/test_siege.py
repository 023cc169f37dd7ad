"""No attacker can take the tracker away from others: each attack with a few honest announces, then all at length."""

import asyncio
import json
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.siege.attackers import arguments
from tests.e2e.siege.attacks import ATTACKS, Attack, Target
from tests.e2e.siege.watch import Watch
from tests.support.accounts import assert_statistics_equal, make_sessions
from tests.support.load import Connection, Load, Session, Tally
from tests.support.processes import Program
from tests.support.stack import StackRun

HONEST_PER_SECOND = 5
SHORT_SECONDS = 3.0
PATIENCE_SECONDS = 1.0
STATISTICS_SECONDS = 5.0
SIEGE_SECONDS = float(os.environ.get("ETRACKER_SIEGE_SECONDS", "600"))
SIEGE_PER_SECOND = 200.0

REPOSITORY = Path(__file__).parents[3]


@asynccontextmanager
async def attacked(target: Target, log: Path, *names: str) -> AsyncIterator[Program]:
    """Attack until the block ends; the program's output has the attempts."""
    command = ["env", f"PYTHONPATH={REPOSITORY}", *arguments(target, *names)]
    with Program(command, log=log) as program:
        await asyncio.to_thread(program.wait_until, lambda: bool(attempts(program)), "the attack began")
        yield program


def attempts(program: Program) -> Counter[str]:
    lines = [line for line in program.output.splitlines() if line.startswith("{")]
    return Counter(json.loads(lines[-1])) if lines else Counter()


@pytest.fixture(scope="module")
def sessions(besieged: StackRun) -> list[Session]:
    return asyncio.run(make_sessions(besieged.postgres_settings(), keys=100, torrents=40, per_key=2))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_honest_announces_are_answered_during_the_attack(
    attack: Attack, target: Target, sessions: list[Session], tmp_path: Path
) -> None:
    """On announce's own port and through the gateway, all are answered within a second; the API answers, too."""
    waited: dict[str, list[float]] = {"gateway": [], "announce": [], "api": []}
    async with attacked(target, tmp_path / "attack.log", attack.name) as attackers:
        began = time.monotonic()
        for number in range(int(SHORT_SECONDS * HONEST_PER_SECOND)):
            await asyncio.sleep(max(0.0, began + number / HONEST_PER_SECOND - time.monotonic()))
            way = ("gateway", "announce")[number % 2]
            waited[way].append(await announce(getattr(target, way), sessions[number % len(sessions)]))
            if way == "announce":
                waited["api"].append(await ask_for_statistics(target.gateway))
        made = attempts(attackers)[attack.name]
    assert made > 0
    for way, seconds in waited.items():
        median, maximum = statistics.median(seconds) * 1000, max(seconds) * 1000
        sys.stdout.write(f"{attack.name}, {made} times, {way}: median {median:.1f} ms, maximum {maximum:.1f} ms\n")


async def announce(door: tuple[str, int], session: Session) -> float:
    """Announce once over a new connection; return how long the answer took.

    Raises:
        TimeoutError: it took more than a second.
    """
    body, seconds = await get(door, session.target(), PATIENCE_SECONDS)
    assert b"failure reason" not in body, body
    session.acknowledge(session.uploaded)
    return seconds


async def ask_for_statistics(door: tuple[str, int]) -> float:
    body, seconds = await get(door, b"/api/stats", STATISTICS_SECONDS)
    assert json.loads(body)["hashcount"] > 0
    return seconds


async def get(door: tuple[str, int], target: bytes, patience_seconds: float) -> tuple[bytes, float]:
    asked = time.monotonic()
    connection = Connection(*door, Tally(), timeout_seconds=patience_seconds)
    try:
        return await connection.get(target), time.monotonic() - asked
    finally:
        connection.close()


@pytest.mark.full
@pytest.mark.timeout(SIEGE_SECONDS + 300)
async def test_a_siege_harms_no_honest_client_and_leaves_memory_and_disk_flat(
    besieged: StackRun, target: Target, sessions: list[Session], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every attack at once, and 200 honest announces per second: no failures, exact statistics, flat memory usage."""
    loads = [Load(target.gateway, sessions[::2], connections=16), Load(target.announce, sessions[1::2], connections=16)]
    watch = Watch(besieged)
    try:
        async with attacked(target, tmp_path / "attack.log", *(attack.name for attack in ATTACKS)) as attackers:
            honest = [
                asyncio.create_task(load.run(per_second=SIEGE_PER_SECOND / 2, seconds=SIEGE_SECONDS)) for load in loads
            ]
            pause = SIEGE_SECONDS / 60
            while not all(one.done() for one in honest):
                await asyncio.wait(honest, timeout=pause)
                watch.look()
                with capsys.disabled():
                    sys.stdout.write(f"{watch.line()}; attempts {dict(attempts(attackers))}\n")
            await asyncio.gather(*honest)
        with capsys.disabled():
            sys.stdout.write(watch.table() + "\n")
        for load in loads:
            assert load.tally.failures == {}
            assert load.tally.acknowledged > 0.95 * SIEGE_SECONDS * SIEGE_PER_SECOND / 2
            await load.announce_all_once()
        await assert_statistics_equal(besieged.postgres_settings(), sessions, within_seconds=60)
        watch.assert_flat()
    finally:
        for load in loads:
            load.close()
