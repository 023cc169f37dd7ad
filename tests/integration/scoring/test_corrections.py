"""Operators correct statistics, also while a worker adds to them: no fact is lost, and scores and totals follow."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from asgi_lifespan import LifespanManager
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr
from redis.asyncio import Redis

from etracker_admin_api.app import create_app
from etracker_admin_api.settings import AdminSettings
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import MAX_COUNTER, Event, Fact
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.facts import info_hash_of, make_fact
from tests.support.scoring import Settle, StartWorker, add_facts

FILM = info_hash_of("film")
API_KEY = "an api key, as an operator chose it"
TORRENT = f"/api/v1/infohashes/{FILM.hex()}/corrections"
KEY = "/api/v1/keys/1/corrections"


@pytest.fixture
async def operator(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, database: asyncpg.Connection
) -> AsyncIterator[AsyncClient]:
    """An operator of a tracker with the keys alice (1) and bob (2) and one torrent."""
    await database.execute("INSERT INTO peers (announce_key) VALUES ('alice'), ('bob')")
    await database.execute("INSERT INTO infohashes (info_hash, name) VALUES ($1, 'Film')", FILM)
    settings = AdminSettings(
        **postgres_settings.model_dump(), **redis_settings.model_dump(), authorization=SecretStr(API_KEY)
    )
    async with LifespanManager(create_app(settings)) as manager:
        transport = ASGITransport(manager.app, client=("203.0.113.7", 5000))
        headers = {"Authorization": API_KEY}
        async with AsyncClient(transport=transport, base_url="http://tracker.test", headers=headers) as client:
            yield client


async def correct(operator: AsyncClient, path: str, **amounts: Any) -> dict[str, Any]:
    response = await operator.post(path, json={"reason": "a cheat", **amounts})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def one(database: asyncpg.Connection, columns: str, table: str) -> tuple[Any, ...]:
    row = await database.fetchrow(f"SELECT {columns} FROM {table} ORDER BY id LIMIT 1")
    assert row is not None
    return tuple(row)


def a_download(uploaded: int = 5000, key: str = "alice") -> list[Fact]:
    return [
        make_fact(key=key, left=1000, event=Event.STARTED),
        make_fact(key=key, at=10, downloaded=1000, uploaded=uploaded, event=Event.COMPLETED),
        make_fact(key=key, at=1810, downloaded=1000, uploaded=uploaded),
    ]


async def test_a_keys_statistics_become_a_value_or_change_by_a_difference(
    operator: AsyncClient, database: asyncpg.Connection, settle: Settle
) -> None:
    await settle(*a_download())
    totals = await one(database, "snatches, uploaded_bytes, downloaded_bytes", "totals")
    shown = await correct(
        operator,
        KEY,
        uploaded_bytes={"by": -4000},
        downloaded_bytes={"to": 7},
        snatched={"by": 2},
        seeding_seconds={"to": 900},
    )
    statistics = ("uploaded_bytes", "downloaded_bytes", "snatched", "seeding_seconds")
    assert [shown[name] for name in statistics] == [1000, 7, 3, 900]
    assert await one(database, "uploaded, downloaded, snatched, seeding_seconds", "peers") == (1000, 7, 3, 900)
    assert await one(database, "snatches, uploaded_bytes, downloaded_bytes", "totals") == totals
    action, target, detail = await one(database, "action, target, detail", "audit_log")
    assert (action, target) == ("key.correct", "1")
    assert json.loads(detail) == {
        "reason": "a cheat",
        "uploaded_bytes": {"before": 5000, "after": 1000},
        "downloaded_bytes": {"before": 1000, "after": 7},
        "snatched": {"before": 1, "after": 3},
        "seeding_seconds": {"before": 1800, "after": 900},
    }


async def test_totals_follow_a_torrents_correction(
    operator: AsyncClient, database: asyncpg.Connection, settle: Settle
) -> None:
    """Of a hybrid by either infohash."""
    other = info_hash_of("film, v2")
    await database.execute("INSERT INTO infohashes (info_hash, same_as) SELECT $1, id FROM infohashes", other)
    await settle(*a_download(), *a_download(key="bob", uploaded=2**62))
    await correct(operator, TORRENT, uploaded_bytes={"by": -(2**62)}, snatches={"to": 1})
    path = f"/api/v1/infohashes/{other.hex()}/corrections"
    shown = await correct(operator, path, downloaded_bytes={"to": 1500}, seeding_seconds={"to": 60})
    expected = {"uploaded_bytes": 5000, "downloaded_bytes": 1500, "snatches": 1, "seeding_seconds": 60}
    assert shown | expected == shown
    assert await one(database, "uploaded_bytes, downloaded_bytes, snatches", "totals") == (5000, 1500, 1)
    assert await one(database, "uploaded", "peers") == (5000,)
    actions = await database.fetch("SELECT action, target FROM audit_log ORDER BY id")
    assert [tuple(row) for row in actions] == [("infohash.correct", FILM.hex()), ("infohash.correct", other.hex())]


async def test_one_absurd_announce_is_undone_and_statistics_go_on(
    operator: AsyncClient, database: asyncpg.Connection, settle: Settle
) -> None:
    """Sums that have reached the largest counter: of a key, a torrent and the tracker."""
    await settle(*a_download(), make_fact(at=3610, uploaded=MAX_COUNTER, downloaded=1000))
    assert await one(database, "uploaded", "peers") == (MAX_COUNTER,)
    await correct(operator, KEY, uploaded_bytes={"to": 5000})
    await correct(operator, TORRENT, uploaded_bytes={"to": 5000})
    # The client restarts, and goes on honestly.
    await settle(make_fact(at=3620, uploaded=0), make_fact(at=5410, uploaded=300))
    assert await one(database, "uploaded", "peers") == (5300,)
    assert await one(database, "uploaded_bytes", "infohashes") == (5300,)
    assert await one(database, "uploaded_bytes", "totals") == (5300,)


async def test_the_score_follows_with_the_next_announce(
    operator: AsyncClient, database: asyncpg.Connection, settle: Settle
) -> None:
    await settle(*(make_fact(at=at) for at in range(0, 200_000, 1800)))
    (score,) = await one(database, "score", "peers")
    (seconds,) = await one(database, "seeding_seconds", "peers")
    await correct(operator, KEY, seeding_seconds={"to": seconds // 2})
    await settle(make_fact(at=200_000))
    (half,) = await one(database, "score", "peers")
    assert 0.4 * score < half < 0.7 * score
    await correct(operator, KEY, seeding_seconds={"to": 0})
    await settle(make_fact(at=200_100))
    (nothing,) = await one(database, "score", "peers")
    assert nothing < 0.01 * score
    await correct(operator, KEY, seeding_seconds={"to": seconds})
    await settle(make_fact(at=200_200))
    (given_back,) = await one(database, "score", "peers")
    assert given_back > nothing


async def test_snatches_that_are_corrected_count_in_the_conduct(
    operator: AsyncClient, database: asyncpg.Connection, settle: Settle
) -> None:
    await settle(*a_download())
    for snatched, owed in ((5, pytest.approx(5, rel=0.01)), (2, pytest.approx(2, rel=0.01)), (0, 0)):
        await correct(operator, KEY, snatched={"to": snatched})
        assert await one(database, "score_owed", "peers") == (owed,)


async def test_no_fact_is_lost_to_corrections_while_a_worker_writes(
    operator: AsyncClient, database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    """Counters, and the sums that the worker computes outside of Postgres from what it has read."""
    worker = await start_worker(worker_batch_facts=5)
    corrections, batches = 15, 25
    facts = 0

    async def announce() -> None:
        nonlocal facts
        for batch in range(batches):
            at = [batch * 50 + second for second in range(0, 50, 10)]
            await add_facts(redis_client, *(make_fact(at=second, uploaded=second) for second in at))
            facts += len(at)
            await asyncio.sleep(0.02)

    async def change() -> None:
        for _ in range(corrections):
            await correct(operator, KEY, uploaded_bytes={"by": 10**6}, snatched={"by": 2}, seeding_seconds={"by": 50})
            await correct(operator, TORRENT, uploaded_bytes={"by": 10**6}, snatches={"by": 2})

    await asyncio.gather(announce(), change())
    await worker.settled(facts)
    last = batches * 50 - 10
    corrected, snatched = corrections * 10**6, corrections * 2
    key = await one(database, "uploaded, snatched, seeding_seconds", "peers")
    assert key == (last + corrected, snatched, last + corrections * 50)
    assert await one(database, "uploaded_bytes, downloaded", "infohashes") == (last + corrected, snatched)
    assert await one(database, "uploaded_bytes, snatches", "totals") == (last + corrected, snatched)
    # The facts are all of one hour, in which hardly anything decays: each correction owes 2, and none is overwritten.
    (owed,) = await one(database, "score_owed", "peers")
    assert owed == pytest.approx(snatched, rel=0.01)


async def test_a_swarm_doesnt_go_on_showing_snatches_that_were_corrected(
    operator: AsyncClient, redis_client: Redis, settle: Settle
) -> None:
    members = redis_keys.members(FILM)
    await redis_client.hset(members, mapping={redis_keys.COUNTS_FIELD: bytes(16), redis_keys.SNATCHES_FIELD: b"900"})
    await settle(*a_download())
    await correct(operator, TORRENT, snatches={"to": 3})
    assert await redis_client.hget(members, redis_keys.SNATCHES_FIELD) is None
    await settle(*a_download(key="bob"))
    assert await redis_client.hget(members, redis_keys.SNATCHES_FIELD) == b"4"


@pytest.mark.parametrize("path", [KEY, TORRENT])
@pytest.mark.parametrize(
    "body",
    [
        {"uploaded_bytes": {"to": 5}},
        {"reason": " ", "uploaded_bytes": {"to": 5}},
        {"reason": "x"},
        {"reason": "x", "uploaded_bytes": {}},
        {"reason": "x", "uploaded_bytes": {"to": 5, "by": 5}},
        {"reason": "x", "uploaded_bytes": {"to": -1}},
        {"reason": "x", "uploaded_bytes": {"by": -1}},
        {"reason": "x", "uploaded_bytes": {"to": MAX_COUNTER + 1}},
        {"reason": "x", "uploaded_bytes": {"to": "5"}},
        {"reason": "x", "seeding_seconds": {"by": 1}, "downloaded_bytes": {"by": -1}},
    ],
    ids=str,
)
async def test_a_correction_that_makes_no_sense_is_refused_whole(
    operator: AsyncClient, database: asyncpg.Connection, path: str, body: dict[str, Any]
) -> None:
    response = await operator.post(path, json=body)
    assert response.status_code == 400
    assert response.json()["detail"].endswith(".")
    assert await one(database, "uploaded, downloaded, seeding_seconds", "peers") == (0, 0, 0)
    assert await database.fetchval("SELECT count(*) FROM audit_log") == 0


async def test_a_correction_that_changes_nothing_leaves_no_trace(
    operator: AsyncClient, database: asyncpg.Connection
) -> None:
    await correct(operator, KEY, uploaded_bytes={"to": 0})
    await correct(operator, TORRENT, uploaded_bytes={"by": 0})
    assert await database.fetchval("SELECT count(*) FROM audit_log") == 0
    for path in ("/api/v1/keys/9/corrections", f"/api/v1/infohashes/{'07' * 20}/corrections"):
        response = await operator.post(path, json={"reason": "x", "uploaded_bytes": {"to": 1}})
        assert response.status_code == 404
