"""Operators' decisions beat the detector until they end, and then the detector goes on."""

import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.worker.freezing import Freezer
from etracker_scoring.worker.upkeep.suspects import Suspects
from etracker_shared.agreements.anomalies import AnomalyState, Override
from etracker_shared.plumbing.postgres import create_pool
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.anomalies import add_anomaly

HOUR = 3600.0
OK, SUSPECTED, CONFIRMED, CLEARED = AnomalyState
STANDING = "SELECT tier, score > 0 AS has_score, frozen IS NOT NULL AS frozen, confirmed_time IS NOT NULL FROM peers"
RICH = """
INSERT INTO peers (id, announce_key, tier, score_time, origin_time, seeding_seconds, score_recent, score_average,
    score_length_days) VALUES (1, 'alice', 4, now(), now() - interval '90 days', 8000000, 20, 20, 40)
"""


@pytest.fixture
async def suspects(postgres_settings: PostgresSettings) -> AsyncIterator[Suspects]:
    async with create_pool(postgres_settings, max_size=1) as pool:
        freezer = Freezer(ScoreParameters, enforced=True)
        yield Suspects(pool, freezer, DetectionParameters(), WorkerMetrics(CollectorRegistry()))


async def decide(database: asyncpg.Connection, override: Override | None) -> None:
    await database.execute(
        "UPDATE anomalies SET override = $1, applied = 0, override_until = to_timestamp($2)",
        override,
        time.time() + HOUR if override else None,
    )


async def state_of(database: asyncpg.Connection) -> tuple[object, ...]:
    row = await database.fetchrow("SELECT state, override, verdict FROM anomalies")
    assert row is not None
    return tuple(row)


async def standing(database: asyncpg.Connection) -> tuple[object, ...]:
    row = await database.fetchrow(STANDING)
    assert row is not None
    return tuple(row)


async def test_an_operators_confirmation_holds_until_its_date_and_takes_nothing_for_good(
    database: asyncpg.Connection, suspects: Suspects
) -> None:
    await database.execute(RICH)
    await add_anomaly(database, 1, state=OK, score=0.0)
    await database.execute("UPDATE anomalies SET points = '{}'")
    await decide(database, Override.CONFIRMED)
    await suspects.apply_overrides()
    assert await state_of(database) == (CONFIRMED, Override.CONFIRMED, 1)
    assert await standing(database) == (0, False, True, True)
    await suspects.let_time_pass(time.time() + HOUR - 60)
    assert (await state_of(database))[0] == CONFIRMED
    await suspects.let_time_pass(time.time() + HOUR + 60)
    assert await state_of(database) == (CLEARED, None, None)
    assert await standing(database) == (4, True, False, False)


@pytest.mark.parametrize(("override", "during"), [(Override.EXEMPT, OK), (Override.CLEARED, CLEARED)])
async def test_a_pardon_holds_until_its_date(
    database: asyncpg.Connection, suspects: Suspects, override: Override, during: AnomalyState
) -> None:
    await database.execute(RICH)
    await add_anomaly(database, 1, state=SUSPECTED)
    await suspects.align()
    assert await standing(database) == (4, False, True, False)
    await decide(database, override)
    await suspects.apply_overrides()
    assert (await state_of(database))[:2] == (during if override is not Override.EXEMPT else OK, override)
    assert await standing(database) == (4, False, False, False)
    await suspects.let_time_pass(time.time() + HOUR - 60)
    assert (await state_of(database))[1] == override
    await suspects.let_time_pass(time.time() + HOUR + 60)
    assert (await state_of(database))[1] is None
    assert await standing(database) == (4, False, False, False)


async def test_a_decision_that_an_operator_ends_leaves_what_the_evidence_says(
    database: asyncpg.Connection, suspects: Suspects
) -> None:
    await database.execute(RICH)
    await add_anomaly(database, 1, state=SUSPECTED)
    await database.execute("UPDATE anomalies SET score_time = now()")
    await decide(database, Override.CONFIRMED)
    await suspects.apply_overrides()
    assert (await state_of(database))[0] == CONFIRMED
    await decide(database, None)
    await suspects.apply_overrides()
    assert await state_of(database) == (SUSPECTED, None, None)
    assert await standing(database) == (4, True, True, False)
