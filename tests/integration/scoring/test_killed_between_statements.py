"""Whichever statement a worker is killed at, what it finds is what an undisturbed one finds.

The worker is a program of its own. A lock on a table makes it wait at a statement, where it is killed with SIGKILL.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support import cheats, closed_swarm
from tests.support.postgres import connect
from tests.support.processes import Program
from tests.support.scoring import add_facts, worker_settings
from tests.support.settlers import all_settled
from tests.support.waiting import eventually
from tests.support.workers import worker_program

WRITES, LOCKS = "SHARE", "EXCLUSIVE"
"""Table locks: the first makes statements that write wait, the other also those that lock rows."""

SETTLING = [("anomaly_evidence", WRITES)]
ALL_OF_SETTLING = [
    ("stream_positions", WRITES),
    ("peers", WRITES),
    ("memberships", WRITES),
    ("announces", WRITES),
    ("signals", WRITES),
    ("traffic_blocks", WRITES),
    ("anomalies", LOCKS),
    ("anomalies", WRITES),
    ("anomaly_evidence", WRITES),
    ("anomaly_addresses", WRITES),
]
JUDGING = [("anomaly_evidence", WRITES)]
ALL_OF_JUDGING = [
    ("infohashes", LOCKS),
    ("swarm_blocks", WRITES),
    ("anomalies", LOCKS),
    ("anomalies", WRITES),
    ("anomaly_evidence", WRITES),
    ("detection_progress", WRITES),
]

WAITING = """
SELECT count(*) FROM pg_locks
WHERE NOT granted AND relation = $1::regclass
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def kill_at(
    points: Sequence[tuple[str, str]], program: Program, postgres: PostgresSettings, done: Callable[[], Awaitable[bool]]
) -> None:
    """Kill the program when it waits at each of these tables, then let it finish."""
    locking = await connect(postgres)
    try:
        for table, mode in points:
            async with locking.transaction():
                await locking.execute(f"LOCK TABLE {table} IN {mode} MODE")
                program.start()
                await eventually(partial(_waits, locking, table), f"the worker waits for {table}", 30)
                program.kill()
        program.start()
        await eventually(done, "the worker has finished", 40)
    finally:
        program.kill()
        await locking.close()


async def _waits(connection: asyncpg.Connection, table: str) -> bool:
    return bool(await connection.fetchval(WAITING, table))


@pytest.mark.parametrize("points", [SETTLING, pytest.param(ALL_OF_SETTLING, marks=pytest.mark.full)])
async def test_a_worker_killed_while_it_settles_finds_everything_once(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
    tmp_path: Path,
    *,
    points: list[tuple[str, str]],
) -> None:
    await cheats.add_members(database)
    facts = cheats.announces()
    await closed_swarm.settle(redis_client, worker_settings(postgres_settings, redis_settings), [facts])
    expected = await cheats.findings(database)
    await database.execute(cheats.FORGET)
    for first in range(0, len(facts), 5):
        await add_facts(redis_client, *facts[first : first + 5])
    program = worker_program(postgres_settings, redis_settings, tmp_path / "worker")
    await kill_at(points, program, postgres_settings, lambda: all_settled(redis_client))
    assert await cheats.findings(database) == expected
    assert len(expected["anomalies"]) == 4


@pytest.mark.parametrize("points", [JUDGING, pytest.param(ALL_OF_JUDGING, marks=pytest.mark.full)])
async def test_a_worker_killed_while_it_judges_finds_everything_once(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
    tmp_path: Path,
    *,
    points: list[tuple[str, str]],
) -> None:
    await closed_swarm.add_members(database)
    blocks = closed_swarm.announces()
    await closed_swarm.settle(redis_client, worker_settings(postgres_settings, redis_settings), blocks)
    await closed_swarm.judge(postgres_settings, redis_client, time.time())
    expected = await closed_swarm.all_findings(database)
    await closed_swarm.forget_judgements(database)

    async def judged() -> bool:
        return int(await database.fetchval("SELECT block FROM detection_progress")) > closed_swarm.LAST

    program = worker_program(postgres_settings, redis_settings, tmp_path / "worker")
    await kill_at(points, program, postgres_settings, judged)
    assert await closed_swarm.all_findings(database) == expected
    assert len(expected["anomalies"]) == 1
