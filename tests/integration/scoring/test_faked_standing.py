"""Attacks on a key's standing through a real worker: what only announces could buy before.

The kind: a high tier for claims, and downloads that nobody has to seed.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence

import asyncpg
import pytest
from redis.asyncio import Redis

from etracker_scoring.scores.formula import DAY, GIB, ScoreParameters, score_of
from etracker_scoring.stored.keys import KEY_COLUMNS, parse_key
from etracker_shared.agreements.facts import SHARDS, Event, Fact
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.facts import START_MS, entry_commands, info_hash_of, make_fact
from tests.support.postgres import connect
from tests.support.scoring import Settle, worker_settings
from tests.support.settlers import all_settled, make_settler
from tests.support.waiting import eventually

PARAMETERS = ScoreParameters()
TEN_DAYS_AGO = time.time() - 10 * DAY - START_MS / 1000
"""Sessions of older facts would be folded in the meantime."""

SIZE = 70 * 10**9
HOUR = 3600


async def prepare(database: asyncpg.Connection, keys: Sequence[str], torrents: Mapping[str, int]) -> None:
    await database.executemany("INSERT INTO peers (announce_key) VALUES ($1)", [(key,) for key in keys])
    listed = [(info_hash_of(name), length) for name, length in torrents.items()]
    await database.executemany("INSERT INTO infohashes (info_hash, length) VALUES ($1, $2)", listed)


async def score_row(database: asyncpg.Connection, key: str) -> asyncpg.Record:
    row = await database.fetchrow("SELECT * FROM peers WHERE key_hash = $1", hash_announce_key(key))
    assert row is not None
    return row


def claims(key: str, torrents: Sequence[str], moments: Sequence[float]) -> Iterator[list[Fact]]:
    for at in moments:
        yield [make_fact(key=key, torrent=name, at=TEN_DAYS_AGO + at) for name in torrents]


def download(key: str, torrent: str, taken: int, left: int | None = None, **more: object) -> list[Fact]:
    """Six announces of a client that begins with nothing. ``left``: what it says is left, all the time."""
    steps = [taken * step // 5 for step in range(6)]
    return [
        make_fact(key=key, torrent=torrent, at=TEN_DAYS_AGO + 1800 * number, downloaded=downloaded,
                  left=SIZE - downloaded if left is None else left, **more)
        for number, downloaded in enumerate(steps)
    ]  # fmt: skip


async def test_three_thousand_claims_are_worth_a_dozen_and_no_high_tier(
    database: asyncpg.Connection, settle: Settle
) -> None:
    torrents = [str(number) for number in range(3000)]
    await prepare(database, ["faker", "dozen"], dict.fromkeys(torrents, 64 * int(GIB)))
    for facts in [*claims("faker", torrents, (0, 759)), *claims("dozen", torrents[:12], (0, 759, 1518))]:
        await settle(*facts)
    faker, dozen = [await score_row(database, key) for key in ("faker", "dozen")]
    assert faker["tier"] < 3
    assert faker["score"] < PARAMETERS.strong_score
    assert faker["score_recent"] < 2 * dozen["score_recent"]


async def test_five_downloads_that_never_end_are_five_snatches_that_ruin_the_conduct(
    database: asyncpg.Connection, settle: Settle
) -> None:
    torrents = [f"film {number}" for number in range(5)]
    await prepare(database, ["taker"], dict.fromkeys(torrents, SIZE))
    for name in torrents:
        await settle(*download("taker", name, SIZE, left=1))
    row = await score_row(database, "taker")
    assert row["snatched"] == 5
    assert row["score_owed"] == pytest.approx(5, rel=1e-2)
    assert score_of(parse_key((await stored(database))[0]).history, 0.0, PARAMETERS).conduct < 0.2
    assert await database.fetchval("SELECT count(*) FROM memberships WHERE debt_seconds = 86400") == 5
    assert await database.fetchval("SELECT sum(downloaded) FROM infohashes") == 5


async def stored(database: asyncpg.Connection) -> list[asyncpg.Record]:
    return await database.fetch(f"SELECT {KEY_COLUMNS} FROM peers")


async def test_leaving_at_99_percent_owes_as_finishing_does_and_a_part_owes_its_share(
    database: asyncpg.Connection, settle: Settle
) -> None:
    keys = ("finisher", "leaver", "selector")
    await prepare(database, keys, {"film": SIZE})
    for key, share in zip(keys, (1.0, 0.99, 0.4), strict=True):
        for fact in download(key, "film", int(share * SIZE)):
            await settle(fact)
        left = SIZE - int(share * SIZE)
        await settle(make_fact(key=key, torrent="film", at=TEN_DAYS_AGO + 10_000, downloaded=SIZE - left, left=left,
                               event=Event.STOPPED))  # fmt: skip
    debts = await database.fetch("SELECT key_hash, debt_seconds, snatched FROM peers JOIN memberships ON key_id = id")
    owed = {row["key_hash"]: (round(row["debt_seconds"] / HOUR, 2), row["snatched"]) for row in debts}
    assert owed[hash_announce_key("leaver")] == (24.0, 1)
    assert owed[hash_announce_key("finisher")][0] == pytest.approx(
        24.0, abs=0.3
    )  # it seeded between its last two announces
    assert owed[hash_announce_key("selector")] == (9.6, 0)


async def test_another_clients_announces_pay_nothing_and_the_own_clients_pay(
    database: asyncpg.Connection, settle: Settle
) -> None:
    await prepare(database, ["taker"], {"film": SIZE})
    await settle(*download("taker", "film", SIZE, left=1, address="home", port=1))
    for peer_id, expected in ((b"-qB5010-seedbox00000", 24.0), (make_fact().peer_id, 18.0)):
        for at in range(10_000, 10_000 + 6 * HOUR + 1, 1800):
            await settle(make_fact(key="taker", torrent="film", at=TEN_DAYS_AGO + at + 10 * len(peer_id), left=0,
                                   downloaded=SIZE, peer_id=peer_id))  # fmt: skip
        assert await database.fetchval("SELECT debt_seconds / 3600 FROM memberships") == pytest.approx(
            expected, abs=0.6
        )


def a_recording() -> Iterator[list[Fact]]:
    """A day of seeders of a torrent in different networks, and of leechers who download it from time to time."""
    keys = [f"seeder{number}" for number in range(6)]
    for at in range(0, int(DAY), 1800):
        yield [
            make_fact(key=key, torrent="film", at=TEN_DAYS_AGO + at, prefix=b"net%d..." % number, seeding_prefixes=2)
            for number, key in enumerate(keys)
        ]
        if at % 20_000 < 9000:  # a download takes some hours, then nobody wants it for a while
            number, left = at // 20_000, SIZE - SIZE * (at % 20_000) // 9000
            yield [
                make_fact(key=f"leecher{number % 3}", torrent="film", at=TEN_DAYS_AGO + at + 60, left=left,
                          downloaded=SIZE - left, peer_id=b"-TR4050-%012d" % number, prefix=b"away...")
            ]  # fmt: skip


async def test_a_recorded_stream_gives_the_same_scores_whatever_the_batches(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
) -> None:
    keys = [*(f"seeder{number}" for number in range(6)), *(f"leecher{number}" for number in range(3))]
    found: list[list[tuple[object, ...]]] = []
    for max_facts in (5000, 40):
        await database.execute("DELETE FROM peers")
        await database.execute("DELETE FROM infohashes")
        await prepare(database, keys, {"film": SIZE})
        for number, fact in enumerate(fact for facts in a_recording() for fact in facts):
            await write_at(redis_client, fact, fact.at_ms + len(found) * 3 * int(DAY) * 1000, number)
        await settle_all(redis_client, postgres_settings, redis_settings, max_facts)
        rows = await database.fetch(f"SELECT {KEY_COLUMNS}, score FROM peers ORDER BY key_hash")
        found.append([tuple(row)[2:] for row in rows])
    assert found[0] == found[1]
    assert len({row[1] for row in found[0]}) > 1


async def write_at(client: Redis, fact: Fact, milliseconds: int, number: int) -> None:
    ((key, field, value),) = entry_commands(fact)
    await client.xadd(key, {field: value}, id=f"{milliseconds}-{number + 1}")


async def settle_all(client: Redis, postgres: PostgresSettings, redis: RedisSettings, max_facts: int) -> None:
    connection = await connect(postgres)
    settler = make_settler(
        connection, client, worker_settings(postgres, redis), set(range(SHARDS)), max_facts=max_facts
    )
    task = asyncio.create_task(settler.run())
    await eventually(lambda: all_settled(client), "all facts are settled", 60)
    task.cancel()
    await asyncio.wait([task])
    await connection.close()
