"""A worker and the jobs about suspects write the same keys: neither may undo what the other has written.

The kind: rows of keys that are computed from what was read before, and written later.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.worker.freezing import Freezer
from etracker_scoring.worker.upkeep.suspects import Suspects
from etracker_shared.agreements.anomalies import AnomalyState, Override
from etracker_shared.agreements.facts import SHARDS
from etracker_shared.plumbing.postgres import create_pool
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.anomalies import add_anomaly
from tests.support.facts import START_MS, info_hash_of, make_fact
from tests.support.postgres import connect
from tests.support.scoring import add_facts, worker_settings
from tests.support.settlers import all_settled, make_settler
from tests.support.waiting import eventually

RICH = """
INSERT INTO peers (id, announce_key, tier, score_time, origin_time, seeding_seconds, score_recent, score_average,
    score_length_days) VALUES (1, 'alice', 4, now(), now() - interval '90 days', 8000000, 20, 20, 40)
"""
STANDING = "SELECT tier, score, confirmed_time IS NOT NULL AS confirmed, uploaded FROM peers"

Job = Callable[[Suspects], Coroutine[Any, Any, None]]


async def confirm(suspects: Suspects) -> None:
    await suspects.apply_overrides()


async def align(suspects: Suspects) -> None:
    await suspects.align()


@pytest.mark.parametrize("job", [confirm, align])
async def test_a_confirmation_waits_for_the_batch_that_is_being_settled(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
    job: Job,
) -> None:
    await database.execute(RICH)
    await database.execute("INSERT INTO infohashes (info_hash) VALUES ($1)", info_hash_of("film"))
    state, override = (AnomalyState.CONFIRMED, None) if job is align else (AnomalyState.OK, Override.CONFIRMED)
    await add_anomaly(database, 1, state=state)
    await database.execute("UPDATE anomalies SET override = $1", override)
    worker, deleting = await connect(postgres_settings), await connect(postgres_settings)
    settings = worker_settings(postgres_settings, redis_settings, detection="enforce")
    began = time.time() - 3600 - START_MS / 1000
    await add_facts(redis_client, make_fact(at=began), make_fact(at=began + 1800, uploaded=7))
    settler = make_settler(worker, redis_client, settings, set(range(SHARDS)), max_facts=100)

    async def waiting() -> int:
        return int(
            await database.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )

    async with create_pool(postgres_settings, max_size=1) as pool:
        freezer = Freezer(ScoreParameters, enforced=True)
        suspects = Suspects(pool, freezer, DetectionParameters(), WorkerMetrics(CollectorRegistry()))
        async with deleting.transaction():  # the batch has read everything when it meets this lock
            await deleting.execute("SELECT 1 FROM infohashes FOR UPDATE")
            settling = asyncio.create_task(settler.run())
            await eventually(lambda: _is(waiting, 1), "the batch waits")
            confirming = asyncio.create_task(job(suspects))
            await eventually(lambda: _is_over(confirming, waiting), "the job waits, or is over")
        await confirming
        await eventually(lambda: all_settled(redis_client), "the batch is settled")
    settling.cancel()
    await asyncio.wait([settling])
    for connection in (worker, deleting):
        await connection.close()
    assert [tuple(row) for row in await database.fetch(STANDING)] == [(0, 0.0, True, 7)]


async def _is(number: Callable[[], Awaitable[int]], wanted: int) -> bool:
    return await number() == wanted


async def _is_over(task: "asyncio.Task[None]", waiting: Callable[[], Awaitable[int]]) -> bool:
    return task.done() or await waiting() == 2
