"""Thresholds that follow the community, on a real Postgres."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.stored.community import Community
from etracker_scoring.stored.yardsticks import YardstickFollower
from etracker_scoring.worker.upkeep.recalibration import NightlyRecalibration, seconds_until_night
from etracker_shared.plumbing.postgres import create_pool
from etracker_shared.plumbing.settings import PostgresSettings

CONFIGURED = ScoreParameters()


@pytest.fixture
async def community(postgres_settings: PostgresSettings) -> AsyncIterator[Community]:
    async with create_pool(postgres_settings) as pool:
        yield Community(pool)


async def add_keys(database: asyncpg.Connection, count: int, seen: str = "now()") -> None:
    """Scores from 0 to 60."""
    await database.execute(
        f"INSERT INTO peers (announce_key, score, last_seen)"
        f" SELECT gen_random_uuid()::text, 60.0 * n / {count - 1}, {seen} FROM generate_series(0, {count - 1}) n"
    )


async def test_every_night_thresholds_go_on_from_where_they_are_for_all_replicas(
    database: asyncpg.Connection, community: Community
) -> None:
    await add_keys(database, 1000)
    nightly = NightlyRecalibration(community, CONFIGURED)
    worker = YardstickFollower(community, CONFIGURED, policy=None, recalibrate=True, active=timedelta())
    await nightly.recalibrate()
    await worker.refresh()
    assert worker.current.parameters.steady_score == pytest.approx(18.0)
    assert await community.thresholds() == pytest.approx((18.0, 39.4, 60.4))
    await nightly.recalibrate()
    assert await community.thresholds() == pytest.approx((19.5, 40.52, 59.12))


async def test_keys_not_seen_that_day_do_not_count_and_too_few_move_nothing(
    database: asyncpg.Connection, community: Community
) -> None:
    await add_keys(database, 999)
    await add_keys(database, 10, seen="now() - interval '2 days'")
    await NightlyRecalibration(community, CONFIGURED).recalibrate()
    assert await community.thresholds() is None


@pytest.mark.parametrize(("hour", "hours"), [(3, 1), (4, 24), (5, 23)])
def test_the_night_comes_once_a_day(hour: int, hours: int) -> None:
    assert seconds_until_night(datetime(2026, 11, 26, hour, tzinfo=UTC)) == hours * 3600
