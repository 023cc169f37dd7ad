"""Operators clear debts: of one torrent, of all, and those for torrents that are gone."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from etracker_shared.agreements.facts import Event, Fact
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.facts import START_MS, info_hash_of, make_fact
from tests.support.recovery import Holder, serving_holders
from tests.support.scoring import Settle

FILMS = ("a", "b", "c")
NOW = time.time() - 60


@pytest.fixture
async def holder(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, database: asyncpg.Connection
) -> AsyncIterator[Holder]:
    hashes = [(info_hash_of(name), name) for name in FILMS]
    await database.executemany("INSERT INTO infohashes (info_hash, name, length) VALUES ($1, $2, 1000)", hashes)
    async with serving_holders(postgres_settings, redis_settings) as holder:
        yield holder


@pytest.fixture
async def key(holder: Holder, settle: Settle) -> str:
    """A key that snatched three torrents and seeded the first for half a day."""
    key, _ = await holder.get_key()

    def ago(hours: float, film: str, **changes: Any) -> Fact:
        at = NOW - hours * 3600 - START_MS / 1000
        return make_fact(key=key, torrent=film, at=at, interval_seconds=86_400, **changes)

    downloads = [
        fact
        for film in FILMS
        for fact in (
            ago(15, film, left=1000, event=Event.STARTED),
            ago(14, film, downloaded=1000, event=Event.COMPLETED),
        )
    ]
    await settle(*downloads, ago(2, "a", downloaded=1000, event=Event.STOPPED))
    return key


async def clear(holder: Holder, **body: Any) -> dict[str, Any]:
    response = await holder.operate("POST", "keys/1/debts/clear", reason="a broken disk", **body)
    assert response.status_code == 200, response.text
    cleared: dict[str, Any] = response.json()
    return cleared


async def test_one_debt_is_cleared_and_then_all(holder: Holder, database: asyncpg.Connection, key: str) -> None:
    listed = (await holder.operate("GET", "keys/1/debts")).json()["items"]
    assert [(one["name"], one["seconds_left"]) for one in listed] == [("b", 86400), ("c", 86400), ("a", 43200)]
    before = await holder.standing(key)
    assert before["parts"]["conduct"] == pytest.approx(1.5 / 4, rel=0.01)
    await clear(holder, info_hash=info_hash_of("b").hex())
    one = await holder.standing(key)
    assert {owed["name"] for owed in one["snatches_owed"]} == {"a", "c"}
    assert one["parts"]["conduct"] == pytest.approx(1.5 / 3, rel=0.01)
    await clear(holder)
    everything = await holder.standing(key)
    assert everything["snatches_owed"] == []
    assert everything["parts"]["conduct"] == 1
    assert everything["snatches"] == 3
    await clear(holder)
    details = [json.loads(row["detail"]) for row in await database.fetch("SELECT detail FROM audit_log ORDER BY id")]
    assert [(detail["debt_seconds"], detail.get("info_hash")) for detail in details] == [
        ({"before": 216_000, "after": 129_600}, info_hash_of("b").hex()),
        ({"before": 129_600, "after": 0}, None),
    ]


async def test_a_debt_for_a_torrent_that_is_gone_can_be_cleared(
    holder: Holder, database: asyncpg.Connection, key: str
) -> None:
    await database.execute("DELETE FROM infohashes")
    assert (await holder.operate("GET", "keys/1/debts")).json() == {"items": []}
    assert (await holder.standing(key))["parts"]["conduct"] < 0.5
    await clear(holder)
    assert (await holder.standing(key))["parts"]["conduct"] == 1
    assert await database.fetchval("SELECT count(*) FROM audit_log") == 1


@pytest.mark.parametrize("body", [{}, {"reason": " "}, {"reason": "x", "info_hash": "nonsense"}], ids=str)
async def test_senseless_clearing_is_refused(
    holder: Holder, database: asyncpg.Connection, key: str, body: dict[str, str]
) -> None:
    owed = "SELECT sum(debt_seconds) FROM memberships"
    before = await database.fetchval(owed)
    assert (await holder.operate("POST", "keys/1/debts/clear", **body)).status_code == 400
    assert await database.fetchval(owed) == before
    for path in ("debts/clear", "recovery-code"):
        assert (await holder.operate("POST", f"keys/7/{path}", reason="x")).status_code == 404
    assert (await holder.operate("GET", "keys/7/debts")).status_code == 404
