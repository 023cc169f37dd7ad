"""Statistics over time: sampled by one replica, kept at falling resolution, drawn as charts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from httpx import AsyncClient
from redis.asyncio import Redis

from etracker_admin_api.database import Database
from etracker_admin_api.settings import AdminSettings
from etracker_admin_api.statistics.history import (
    TORRENT_LADDER,
    TRACKER_LADDER,
    Reading,
    Span,
    Totals,
    draw_tracker,
    step_end,
)
from etracker_admin_api.statistics.live_counts import LiveTotals
from etracker_admin_api.statistics.store import HistoryStore
from etracker_shared.agreements.redis_keys import ALL_TOTALS
from tests.support.admin_api import serving
from tests.support.waiting import eventually

V1 = "/api/v1"
NOON = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
LIVE = LiveTotals(seeders=2, leechers=3, swarms=1)
FILM = b"f" * 20


@pytest.fixture
async def redis_client(admin_settings: AdminSettings) -> AsyncIterator[Redis]:
    client: Redis = Redis.from_url(admin_settings.redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def history(admin_settings: AdminSettings) -> AsyncIterator[HistoryStore]:
    database = Database(admin_settings)
    yield HistoryStore(database)
    await database.close()


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


async def steps(database: asyncpg.Connection) -> dict[int, list[datetime]]:
    rows = await database.fetch("SELECT step_seconds, array_agg(at ORDER BY at) FROM tracker_samples GROUP BY 1")
    return {row[0]: row[1] for row in rows}


async def test_a_minute_is_sampled_once_however_many_replicas_there_are(
    admin_settings: AdminSettings, database: asyncpg.Connection
) -> None:
    databases = [Database(admin_settings) for _ in range(4)]
    taken = await asyncio.gather(*(HistoryStore(one).take(5, LIVE, NOON) for one in databases))
    assert sum(taken) == 1
    assert await database.fetchval("SELECT count(*) FROM tracker_samples WHERE step_seconds = 60") == 1
    for one in databases:
        await one.close()


async def test_steps_that_are_over_become_coarser_samples(history: HistoryStore, database: asyncpg.Connection) -> None:
    for minute in range(1, 31):
        await database.execute("UPDATE totals SET announces = announces + 60, uploaded_bytes = uploaded_bytes + 7")
        await history.take(minute, LiveTotals(minute, 0, 1), NOON + minutes(minute))
    assert (await steps(database))[900] == [NOON + minutes(0), NOON + minutes(15), NOON + minutes(30)][1:]
    row = await database.fetchrow(
        "SELECT torrents, seeders, announces, uploaded_bytes FROM tracker_samples WHERE step_seconds = 900 ORDER BY at"
    )
    assert row is not None
    assert tuple(row) == (8, 8, 15 * 60, 15 * 7)


async def test_what_was_missed_while_nobody_sampled_is_made_up_for(
    history: HistoryStore, database: asyncpg.Connection
) -> None:
    for minute in (1, 2, 3, 400):
        await history.take(1, LIVE, NOON + minutes(minute))
    assert (await steps(database))[900] == [NOON + minutes(15)]
    assert (await steps(database))[21600] == [NOON + timedelta(hours=6)]


async def test_old_samples_of_each_step_go_and_coarser_ones_stay(
    history: HistoryStore, database: asyncpg.Connection
) -> None:
    for rung in TRACKER_LADDER:
        for days in (rung.days - 1, rung.days + 1):
            await database.execute(
                "INSERT INTO tracker_samples VALUES ($1, $2, 1, 1, 1, 1)",
                rung.step_seconds,
                NOON - timedelta(days=days),
            )
    await history.take(1, LIVE, NOON)
    found = await steps(database)
    for rung in TRACKER_LADDER:
        assert min(found[rung.step_seconds]) >= NOON - timedelta(days=rung.days)
        assert NOON - timedelta(days=rung.days - 1) in found[rung.step_seconds]


async def take(history: HistoryStore, torrents: int, at: datetime) -> None:
    """Take a sample. The service that is being tested samples as well, once a minute, and only one can at a time."""
    await eventually(lambda: history.take(torrents, LIVE, at), "the service's own sample is finished")


async def add_film(database: asyncpg.Connection) -> int:
    statement = "INSERT INTO infohashes (info_hash, name) VALUES ($1, 'film') RETURNING id"
    return int(await database.fetchval(statement, FILM))


async def test_a_torrent_is_sampled_when_its_counts_changed_and_not_otherwise(
    history: HistoryStore, database: asyncpg.Connection
) -> None:
    film = await add_film(database)
    await database.execute("INSERT INTO infohashes (info_hash, same_as, seeders) VALUES ($1, $2, 9)", b"g" * 20, film)
    now = datetime.now(UTC)
    for hour, seeders in enumerate([0, 1, 1, 2, 0]):
        await database.execute(
            "UPDATE infohashes SET seeders = $1, counted_time = $2 WHERE id = $3 AND seeders <> $1",
            seeders,
            now + timedelta(hours=hour, minutes=-1),
            film,
        )
        assert await history.take_torrents(now + timedelta(hours=hour))
    assert not await history.take_torrents(now + timedelta(hours=4, minutes=30))
    rows = await database.fetch("SELECT at, seeders FROM torrent_samples ORDER BY at")
    assert [(row["at"], row["seeders"]) for row in rows] == [
        (now + timedelta(hours=1), 1),
        (now + timedelta(hours=3), 2),
        (now + timedelta(hours=4), 0),
    ]


async def test_old_samples_of_a_torrent_are_thinned_to_the_last_of_each_step(
    history: HistoryStore, database: asyncpg.Connection
) -> None:
    film = await add_film(database)
    for days in (TORRENT_LADDER[0].days + 0.5, TORRENT_LADDER[1].days + 0.5):
        start = (NOON - timedelta(days=days)).replace(hour=0)
        await database.executemany(
            "INSERT INTO torrent_samples VALUES ($1, $2, $3, 0, 0)",
            [(film, start + timedelta(hours=hour), hour) for hour in range(1, 13)],
        )
    await database.execute(
        "INSERT INTO torrent_samples VALUES ($1, $2, 1, 0, 0)", film, NOON - timedelta(days=TORRENT_LADDER[2].days + 1)
    )
    await history.take_torrents(NOON)
    rows = await database.fetch("SELECT seeders FROM torrent_samples ORDER BY at")
    assert [row["seeders"] for row in rows] == [12, 6, 12]  # one a day, then one every six hours


async def test_charts_show_what_was_added_and_what_was_there(
    client: AsyncClient, history: HistoryStore, database: asyncpg.Connection
) -> None:
    end = step_end(
        datetime.now(UTC) - timedelta(seconds=TRACKER_LADDER[-1].step_seconds), TRACKER_LADDER[-1].step_seconds
    )
    before = end - timedelta(days=3)  # longer ago than minutes are kept
    await take(history, 4, before)
    for minute in range(-12, 1):
        await database.execute(
            "UPDATE totals SET announces = announces + 120, snatches = snatches + 1, downloaded_bytes = 2 ^ 70"
        )
        await take(history, 4, end + minutes(minute))

    drawn = {}
    for span, step in (("day", 300), ("month", 7200), ("year", 86_400)):
        answer = (await client.get(f"{V1}/stats/history", params={"span": span})).json()
        assert (answer["span"], answer["step_seconds"]) == (span, step)
        for sample in answer["samples"]:
            assert [sample[name] for name in ("torrents", "swarms", "seeders", "leechers")] == [4, 1, 2, 3]
        drawn[span] = [
            (datetime.fromisoformat(sample["at"]), sample["snatches"], sample["announces_per_second"])
            for sample in answer["samples"]
        ]
    assert drawn == {  # a chart's first sample has nothing to compare itself with but its own beginning
        "day": [(end - minutes(10), 2, 2.0), (end - minutes(5), 5, 2.0), (end, 5, 2.0)],
        "month": [(before, 0, 0.0), (end, 13, 0.006)],
        "year": [(step_end(before, 86_400), 0, 0.0), (end, 13, 0.006)],
    }


async def test_every_chart_begins_with_the_first_sample_and_ends_with_the_latest(
    admin_settings: AdminSettings, history: HistoryStore
) -> None:
    """The kind: a chart that stays empty, or lags behind, until a step of its own resolution is over."""
    first = step_end(datetime.now(UTC), 60) - minutes(20)
    async with serving(admin_settings.model_copy(update={"sample_seconds": 86_400})) as client:
        for minute in range(18):
            await take(history, 1, first + minutes(minute))
            if minute in (0, 1, 16, 17):  # a step of 15 minutes ends in between
                for span in Span:
                    samples = (await client.get(f"{V1}/stats/history", params={"span": span})).json()["samples"]
                    assert datetime.fromisoformat(samples[-1]["at"]) == first + minutes(minute), span


def test_a_long_reading_weighs_as_much_as_the_short_ones_that_it_replaced() -> None:
    quarter, minute = (
        Reading(step, NOON, count, count, count, count, Totals(0, 0, 0, 0)) for step, count in ((900, 8), (60, 0))
    )
    [step] = draw_tracker([quarter, *([minute] * 15)], 7200)
    assert step.seeders == 4


async def test_stats_tell_how_it_is_now_and_what_ever_was(
    client: AsyncClient, redis_client: Redis, history: HistoryStore, database: asyncpg.Connection
) -> None:
    for tag in (0, 255):
        await redis_client.hset(ALL_TOTALS[tag], mapping={"s": 5, "l": 7, "w": 2})
    await take(history, 1, datetime.now(UTC) - minutes(1.5))
    await database.execute("UPDATE totals SET announces = 900, snatches = 3, uploaded_bytes = 2::numeric ^ 70")
    stats = (await client.get(f"{V1}/stats")).json()
    assert {name: stats[name] for name in ("torrents", "swarms", "seeders", "leechers", "snatches", "stale")} == {
        "torrents": 0,
        "swarms": 4,
        "seeders": 10,
        "leechers": 14,
        "snatches": 3,
        "stale": False,
    }
    assert stats["uploaded_bytes"] == 2**70
    assert stats["announces_per_second"] == pytest.approx(10, rel=0.2)


async def test_without_a_recent_sample_the_rate_is_unknown(client: AsyncClient) -> None:
    assert (await client.get(f"{V1}/stats")).json()["announces_per_second"] is None


async def test_a_torrents_chart_ends_with_how_it_is_now(client: AsyncClient, database: asyncpg.Connection) -> None:
    film = await add_film(database)
    now = datetime.now(UTC)
    await database.executemany(
        "INSERT INTO torrent_samples VALUES ($1, $2, $3, 0, 0)",
        [(film, now - timedelta(days=3), 1), (film, now - timedelta(hours=5), 2)],
    )
    await database.execute("UPDATE infohashes SET seeders = 3")
    for span, first in (("day", 1), ("month", 1), ("year", 1)):
        answer = (await client.get(f"{V1}/infohashes/{FILM.hex()}/history", params={"span": span})).json()
        seeders = [sample["seeders"] for sample in answer["samples"]]
        assert (seeders[0], seeders[-1]) == (first, 3)
        assert sorted(seeders) == seeders


async def test_the_running_service_takes_samples(admin_settings: AdminSettings, database: asyncpg.Connection) -> None:
    async with serving(admin_settings.model_copy(update={"sample_seconds": 1})):

        async def sampled() -> bool:
            return bool(await database.fetchval("SELECT count(*) > 1 FROM tracker_samples"))

        await eventually(sampled, "two samples are taken")
