"""What a key earned while it was suspected is paid back exactly: as if nothing had happened."""

import time

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.worker.freezing import Freezer
from etracker_scoring.worker.upkeep.suspects import Suspects
from etracker_shared.agreements.anomalies import AnomalyState
from etracker_shared.plumbing.postgres import create_pool
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.anomalies import add_anomaly
from tests.support.facts import START_MS, info_hash_of, make_fact
from tests.support.scoring import RunningWorker, StartWorker, add_facts
from tests.support.waiting import eventually

HOUR = 3600
BEGAN = time.time() - 12 * HOUR - START_MS / 1000
EVERYTHING = """
SELECT snatched, downloaded, uploaded, seeding_seconds, seeded_until, tier, falling_since, score, score_time,
    score_recent, score_average, score_length_days, score_owed, score_paid, score_drawn, frozen, confirmed_time
FROM peers ORDER BY id
"""
TWINS = """
INSERT INTO peers (announce_key, tier, score_time, origin_time, seeding_seconds, score_recent, score_average,
    score_length_days)
SELECT key, 3, now() - interval '13 hours', now() - interval '90 days', 8000000, 20, 20, 40
FROM unnest('{alice,bob}'::text[]) key
"""

CLEARED = "UPDATE anomalies SET override = 2, applied = 0, override_until = now() + interval '7 days'"
EXEMPT = "UPDATE anomalies SET override = 1, applied = 0"
FADED = "UPDATE anomalies SET score_time = now() - interval '10 days', points = '{\"P:rate\": 50}'"


async def seed(client: Redis, worker: RunningWorker, steps: range) -> None:
    """Let both seed and upload alike, each in a torrent of its own."""
    settled = await worker.metric("etracker_scoring_facts_total")
    for step in steps:
        for key in ("alice", "bob"):
            fact = make_fact(
                key=key, torrent=f"film of {key}", at=BEGAN + step * 1800, uploaded=step * 2**28, address=key
            )
            await add_facts(client, fact)
    await worker.settled(int(settled) + 2 * len(steps))


@pytest.mark.parametrize(
    ("state", "ending"),
    [(AnomalyState.SUSPECTED, CLEARED), (AnomalyState.SUSPECTED, FADED), (AnomalyState.CONFIRMED, EXEMPT)],
)
async def test_a_key_has_all_that_its_twin_has_once_its_anomaly_ends(
    database: asyncpg.Connection,
    redis_client: Redis,
    start_worker: StartWorker,
    postgres_settings: PostgresSettings,
    *,
    state: AnomalyState,
    ending: str,
) -> None:
    await database.execute(TWINS)
    for key in ("alice", "bob"):
        await database.execute(
            "INSERT INTO infohashes (info_hash, length) VALUES ($1, 1000000000)", info_hash_of(f"film of {key}")
        )
    await add_anomaly(database, 1, state=state)
    worker = await start_worker(detection="enforce")

    async def frozen() -> bool:
        return bool(await database.fetchval("SELECT bool_or(frozen IS NOT NULL) FROM peers"))

    await eventually(frozen, "the suspect is frozen")
    await seed(redis_client, worker, range(16))
    alice, bob = await database.fetch(EVERYTHING)
    assert alice["score"] < bob["score"]
    await database.execute(ending)
    async with create_pool(postgres_settings, max_size=1) as pool:
        freezer = Freezer(ScoreParameters, enforced=True)
        suspects = Suspects(pool, freezer, DetectionParameters(), WorkerMetrics(CollectorRegistry()))
        await suspects.apply_overrides()
        await suspects.let_time_pass(time.time())

    async def thawed() -> bool:
        return not await frozen()

    await eventually(thawed, "the suspicion has ended")
    await seed(redis_client, worker, range(16, 20))
    alice, bob = await database.fetch(EVERYTHING)
    assert dict(alice) == dict(bob)
