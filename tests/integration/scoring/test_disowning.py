"""Whatever a thief did with a key, from any address that is new to it, its holder disowns it all at once.

A second key, used as the first one would have been without the thief, says what has to be left.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from etracker_scoring.scores.formula import DAY, GIB
from etracker_scoring.worker.upkeep.archive import Archive
from etracker_scoring.worker.upkeep.folding import Folding
from etracker_shared.agreements.facts import MAX_COUNTER, Event, Fact
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.facts import START_MS, info_hash_of, make_fact
from tests.support.postgres import connect
from tests.support.recovery import Holder, serving_holders
from tests.support.scoring import Settle
from tests.support.waiting import eventually

HOUR = 3600
SIZE = 4 * int(GIB)
TORRENTS = [f"film {number}" for number in range(14)]
HOME, MOBILE, THIEF = (b"\x04" + bytes([198, 51, part, 0, 0, 0]) for part in (1, 2, 3))
NOW = time.time() - 60
THEFT = 36 * HOUR
"""How long before now the key was stolen."""

SUMS = "score_recent, score_average, score_length_days, score_owed, score_paid, score"
COUNTERS = "uploaded, downloaded, snatched, seeding_seconds, tier"


@pytest.fixture
async def holder(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, database: asyncpg.Connection
) -> AsyncIterator[Holder]:
    torrents = [(info_hash_of(name), name, SIZE) for name in TORRENTS]
    await database.executemany("INSERT INTO infohashes (info_hash, name, length) VALUES ($1, $2, $3)", torrents)
    async with serving_holders(postgres_settings, redis_settings) as holder:
        yield holder


def ago(seconds: float, key: str, torrent: str = "film 0", prefix: bytes = HOME, **changes: Any) -> Fact:
    at = NOW - seconds - START_MS / 1000
    client = {"peer_id": b"-qB4650-the holders." if prefix == HOME else b"-TR4050-the thief's."}
    address = {"address": prefix.hex()}
    return make_fact(**{"key": key, "torrent": torrent, "prefix": prefix, "at": at} | client | address | changes)


def own_seeding(key: str, until: float = 0) -> list[Fact]:
    """Six days of two torrents, the second of which was downloaded and paid for."""
    start = 144 * HOUR
    download = [
        ago(start + HOUR, key, "film 1", left=SIZE, event=Event.STARTED),
        ago(start, key, "film 1", downloaded=SIZE, event=Event.COMPLETED),
    ]
    seeding = [
        ago(seconds, key, torrent, uploaded=start - seconds, downloaded=SIZE if torrent == "film 1" else 0)
        for seconds in range(start - 1800, int(until) - 1, -1800)
        for torrent in TORRENTS[:2]
    ]
    return download + seeding


def false_snatches(key: str, prefix: bytes = THIEF, **changes: Any) -> list[Fact]:
    """A dozen downloads that are never seeded."""
    return [
        ago(THEFT - second, key, torrent, prefix, **step | changes)
        for number, torrent in enumerate(TORRENTS[2:])
        for second, step in (
            (number, {"left": SIZE, "event": Event.STARTED}),
            (300 + number, {"downloaded": SIZE, "event": Event.COMPLETED}),
            (600 + number, {"downloaded": SIZE, "event": Event.STOPPED}),
        )
    ]


def seeding_by_the_thief(key: str, *torrents: str) -> list[Fact]:
    """A day of seeding, announced a quarter of an hour after the holder's."""
    times = range(THEFT - 900, THEFT - 25 * HOUR, -1800)
    return [ago(seconds, key, torrent, THIEF, uploaded=THEFT - seconds) for seconds in times for torrent in torrents]


async def state(database: asyncpg.Connection, key: str) -> dict[str, Any]:
    """Return everything that is stored about a key's past, apart from when it became so."""
    row = await database.fetchrow(
        f"SELECT id, {SUMS}, {COUNTERS} FROM peers WHERE key_hash = hash_announce_key($1)", key
    )
    assert row is not None
    found = dict(row)
    key_id = found.pop("id")
    found["memberships"] = [
        dict(one)
        for one in await database.fetch(
            "SELECT info_hash_id, leeching, snatched_time, uploaded, downloaded, seeding_seconds, debt_seconds, taken,"
            " owed_share FROM memberships WHERE key_id = $1 ORDER BY 1",
            key_id,
        )
    ]
    found["sessions"] = [
        tuple(one)
        for one in await database.fetch(
            "SELECT info_hash_id, peer_id, uploaded_credit, downloaded_credit, seeding_seconds, taken"
            " FROM announces WHERE key_id = $1 ORDER BY 1, 2",
            key_id,
        )
    ]
    return found


def without_tiny_differences(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name: pytest.approx(value, rel=1e-6, abs=1e-9) if "score" in name else value for name, value in found.items()
    }


def when(seconds_ago: float) -> datetime:
    return datetime.fromtimestamp(NOW - seconds_ago, UTC)


async def test_a_dozen_false_announces_leave_no_trace(
    holder: Holder, database: asyncpg.Connection, settle: Settle
) -> None:
    key, code = await holder.get_key()
    other, _ = await holder.get_key()
    await settle(*own_seeding(key, THEFT), *own_seeding(other, THEFT))
    before = await holder.standing(key)
    assert before["tier"] >= 2
    await settle(*false_snatches(key))
    ruined = await holder.standing(key)
    assert (ruined["snatches"], len(ruined["snatches_owed"])) == (13, 12)
    assert ruined["parts"]["conduct"] < 0.2
    assert ruined["score"] < 0.5 * before["score"]
    response = await holder.disown(key, code, when(THEFT + 60))
    assert response.status_code == 200, response.text
    assert response.json() == {
        "prefixes": 1,
        "sessions": 12,
        "torrents": 12,
        "uploaded_bytes": 0,
        "downloaded_bytes": 12 * SIZE,
        "seeding_seconds": 311,
        "snatches": 12,
    }
    after = await holder.standing(key)
    for shown in ("tier", "snatches", "snatches_owed", "torrents", "uploaded_bytes", "downloaded_bytes"):
        assert after[shown] == before[shown], shown
    assert after["score"] == pytest.approx(before["score"], rel=1e-3)
    await settle(ago(0, key), ago(0, other))
    assert await state(database, key) == without_tiny_differences(await state(database, other))
    assert await database.fetchval("SELECT count(*) FROM prefix_credits") == 0


async def test_false_seeding_goes_and_the_holders_own_stays(
    holder: Holder, database: asyncpg.Connection, settle: Settle
) -> None:
    """While the holder went on, in other torrents and in the same one."""
    key, code = await holder.get_key()
    other, _ = await holder.get_key()
    stolen = [*own_seeding(key), *seeding_by_the_thief(key, "film 0", *TORRENTS[2:])]
    await settle(*sorted(stolen, key=lambda fact: fact.at_ms), *own_seeding(other))
    cheated, honest = await state(database, key), await state(database, other)
    assert cheated["score_recent"] > 2 * honest["score_recent"]
    assert (await holder.disown(key, code, when(THEFT))).status_code == 200
    await settle(ago(-30, key), ago(-30, other))
    left, honest = await state(database, key), await state(database, other)
    assert left["sessions"] == honest["sessions"]
    assert left["memberships"] == honest["memberships"]
    for name in ("score_recent", "score_average", "score_length_days", "seeding_seconds"):
        assert left[name] == pytest.approx(honest[name], rel=0.01), name


async def test_seeding_while_the_holder_was_away_goes_entirely(
    holder: Holder, database: asyncpg.Connection, settle: Settle
) -> None:
    key, code = await holder.get_key()
    other, _ = await holder.get_key()
    await settle(*own_seeding(key, THEFT), *own_seeding(other, THEFT), *seeding_by_the_thief(key, *TORRENTS))
    assert (await holder.disown(key, code, when(THEFT))).status_code == 200
    await settle(ago(0, key), ago(0, other))
    assert await state(database, key) == without_tiny_differences(await state(database, other))


async def test_a_thief_with_the_holders_peer_id_takes_nothing_along(
    holder: Holder, database: asyncpg.Connection, settle: Settle
) -> None:
    """Both in one session, also of a torrent that the holder is about to finish."""
    key, code = await holder.get_key()
    other, _ = await holder.get_key()
    for one in (key, other):
        await settle(
            *own_seeding(one, THEFT),
            ago(THEFT + HOUR, one, "film 2", left=SIZE, event=Event.STARTED),
            ago(THEFT + 1800, one, "film 2", left=SIZE // 2, downloaded=SIZE // 2),
        )
    await settle(*false_snatches(key, peer_id=b"-qB4650-the holders."))
    assert (await holder.disown(key, code, when(THEFT + 1))).status_code == 200
    for one in (key, other):
        await settle(ago(0, one, "film 2", downloaded=SIZE, event=Event.COMPLETED), ago(0, one))
    left, honest = await state(database, key), await state(database, other)
    assert left["snatched"] == honest["snatched"] == 2
    assert left["score"] == pytest.approx(honest["score"], rel=1e-6)
    for name in ("info_hash_id", "debt_seconds", "seeding_seconds", "leeching", "snatched_time"):
        assert [one[name] for one in left["memberships"]] == [one[name] for one in honest["memberships"]], name


async def test_only_addresses_that_are_new_to_the_key_can_be_disowned(
    holder: Holder, database: asyncpg.Connection, settle: Settle
) -> None:
    key, code = await holder.get_key()
    await settle(*own_seeding(key, THEFT), ago(60 * HOUR, key, "film 3", MOBILE, uploaded=7), *false_snatches(key))
    shown = (await holder.call("GET", "key/addresses", key)).json()["items"]
    assert [(one["clients"], one["snatches"]) for one in shown] == [(["-TR4050-"], 12), (["-TR4050-"], 0)]
    everything = await holder.disown(key, code, when(400 * HOUR))
    assert everything.json()["prefixes"] == 2
    assert (await holder.standing(key))["seeding_seconds"] > 4 * DAY, "the first address stays"
    assert len(await database.fetch("SELECT * FROM key_prefixes")) == 1


async def test_an_address_that_the_key_used_before_stays(holder: Holder, settle: Settle) -> None:
    key, code = await holder.get_key()
    await settle(*own_seeding(key, THEFT), ago(60 * HOUR, key, "film 3", MOBILE), *false_snatches(key, MOBILE))
    refused = await holder.disown(key, code, when(48 * HOUR))
    assert refused.status_code == 409
    assert (await holder.standing(key))["snatches"] == 13


async def test_an_address_stops_being_new(holder: Holder, database: asyncpg.Connection, settle: Settle) -> None:
    key, code = await holder.get_key()
    month = 33 * 24 * HOUR
    await settle(ago(month + 60, key), ago(month, key, "film 1", THIEF), *own_seeding(key, THEFT), *false_snatches(key))
    assert (await holder.call("GET", "key/addresses", key)).json() == {"items": []}
    assert (await holder.disown(key, code, when(2 * month))).status_code == 409
    assert not await database.fetchval("SELECT sum(snatches) FROM prefix_credits")  # its row may be deleted already


async def test_sessions_are_disowned_once_in_half_a_year_and_only_with_the_code(
    holder: Holder, database: asyncpg.Connection, settle: Settle
) -> None:
    key, code = await holder.get_key()
    _, wrong = await holder.get_key()
    await settle(*own_seeding(key, THEFT), *false_snatches(key))
    since = when(THEFT + 60)
    assert (await holder.disown(key, wrong, since)).status_code == 403
    assert (await holder.disown(key, code[:-1] + ("0" if code[-1] != "0" else "1"), since)).status_code == 400
    assert (await holder.disown(key, code, since)).status_code == 200
    await settle(ago(60, key, "film 5", MOBILE, left=5))
    again = await holder.disown(key, code, since)
    assert (again.status_code, "180 days" in again.json()["detail"]) == (409, True)
    shown = (await holder.call("GET", "key/recovery", key)).json()
    assert datetime.fromisoformat(shown["disown_after"]) > datetime.now(UTC) + timedelta(days=179)
    await database.execute("UPDATE recovery_codes SET disowned_time = now() - interval '181 days'")
    assert (await holder.disown(key, code, since)).status_code == 200


async def test_a_worker_that_is_settling_the_thiefs_facts_doesnt_undo_it(
    holder: Holder, database: asyncpg.Connection, settle: Settle, postgres_settings: PostgresSettings
) -> None:
    """It has loaded the key by its old hash, and writes it only after the rotation and the disowning have begun."""
    key, code = await holder.get_key()
    other, _ = await holder.get_key()
    await settle(*own_seeding(key, THEFT), *own_seeding(other, THEFT), *false_snatches(key)[:18])
    blocker = await connect(postgres_settings)
    transaction = blocker.transaction()
    await transaction.start()
    await blocker.execute("SELECT 1 FROM infohashes FOR UPDATE")
    settling = asyncio.ensure_future(settle(*false_snatches(key)[18:]))
    await eventually(lambda: waiting(database, 1), "the worker waits for the torrents")

    async def recover() -> str:
        mine = await holder.recover(code)
        assert (await holder.disown(mine, code, when(THEFT + 60))).status_code == 200
        return mine

    recovering = asyncio.create_task(recover())
    await eventually(lambda: waiting(database, 2), "the rotation waits for the worker")
    await transaction.rollback()
    await blocker.close()
    await settling
    mine = await recovering
    await settle(ago(0, mine), ago(0, other))
    assert await state(database, mine) == without_tiny_differences(await state(database, other))


async def waiting(database: asyncpg.Connection, sessions: int) -> bool:
    """Return whether so many of Postgres' sessions wait for locks."""
    query = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
    return bool(await database.fetchval(query) >= sessions)


async def test_sums_survive_a_worker_that_writes_all_the_time(
    holder: Holder, database: asyncpg.Connection, settle: Settle
) -> None:
    key, code = await holder.get_key()
    other, _ = await holder.get_key()
    await settle(*own_seeding(key, THEFT), *own_seeding(other, THEFT), *false_snatches(key))
    own = [*range(THEFT - 1800, 0, -1800)]
    disowning = asyncio.create_task(holder.disown(key, code, when(THEFT + 60)))
    for seconds in own:
        await settle(*(ago(seconds, one, uploaded=144 * HOUR - seconds) for one in (key, other)))
    assert (await disowning).status_code == 200
    left, honest = await state(database, key), await state(database, other)
    # The seeding with which the thief overlapped is an estimate.
    for name in (*SUMS.split(", "), *COUNTERS.split(", ")):
        assert left[name] == pytest.approx(honest[name], rel=0.002, abs=1e-9), name
    assert left["memberships"] == honest["memberships"]


async def test_absurd_claims_are_disowned_too(holder: Holder, database: asyncpg.Connection, settle: Settle) -> None:
    key, code = await holder.get_key()
    await database.execute("UPDATE infohashes SET length = NULL")
    await settle(*own_seeding(key, THEFT))
    absurd = [
        ago(THEFT - second, key, torrent, THIEF, uploaded=uploaded)
        for torrent in TORRENTS[2:5]
        for second, uploaded in ((0, 0), (5, MAX_COUNTER))
    ]
    await settle(*absurd, *(fact._replace(at_ms=fact.at_ms + 1) for fact in absurd))
    assert (await holder.standing(key))["uploaded_bytes"] == MAX_COUNTER
    assert (await holder.disown(key, code, when(THEFT + 60))).status_code == 200
    assert (await holder.standing(key))["uploaded_bytes"] < 2**62


async def test_addresses_are_forgotten_when_they_no_longer_matter(
    holder: Holder, database: asyncpg.Connection, settle: Settle, postgres_settings: PostgresSettings
) -> None:
    key, _ = await holder.get_key()
    await settle(*own_seeding(key, 140 * HOUR), *false_snatches(key))
    pool = await asyncpg.create_pool(**postgres_settings.asyncpg_arguments(), min_size=1)
    folding = Folding(Archive(pool), timedelta(), timedelta())

    async def left() -> tuple[int, int]:
        await folding.fold(datetime.now(UTC))
        tables = ("key_prefixes", "prefix_credits")
        prefixes, credits_ = [await database.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
        return prefixes, credits_

    assert await left() == (2, 12)
    await database.execute("UPDATE key_prefixes SET new_until = now()")
    assert await left() == (2, 0)
    await database.execute(
        "UPDATE key_prefixes SET last_seen = now() - interval '181 days' WHERE first_seen > $1", when(THEFT + 60)
    )
    assert await left() == (1, 0)
    await pool.close()
