"""What the worker writes, on a real Postgres and Redis."""

import time

import asyncpg
import pytest
from redis.asyncio import Redis

from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import MAX_COUNTER, Event, Fact, FactFlag, pack_fact, shard_of
from etracker_shared.language.identity import hash_announce_key
from tests.support.facts import info_hash_of, make_fact
from tests.support.scoring import StartWorker, add_facts
from tests.support.waiting import eventually

FILM = info_hash_of("film")


@pytest.fixture(autouse=True)
async def _as_an_operator_would(database: asyncpg.Connection) -> None:
    await database.execute("INSERT INTO peers (announce_key) VALUES ('alice'), ('bob')")
    await database.execute("INSERT INTO infohashes (info_hash, name) VALUES ($1, 'Film')", FILM)


def a_download(**more: object) -> list[Fact]:
    return [
        make_fact(left=1000, event=Event.STARTED, **more),
        make_fact(at=10, uploaded=30, downloaded=1000, left=0, event=Event.COMPLETED, **more),
        make_fact(at=70, uploaded=50, downloaded=1000, left=0, **more),
    ]


async def test_rows_inserted_through_psql_collect_statistics(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    await add_facts(redis_client, *a_download())
    await worker.settled(3)
    key = await database.fetchrow(
        "SELECT snatched, downloaded, uploaded, seeding_seconds, last_seen FROM peers"
        " WHERE key_hash = hash_announce_key('alice')"
    )
    assert key is not None
    assert tuple(key)[:4] == (1, 1000, 50, 60)
    assert key["last_seen"].timestamp() == 1_700_000_070
    torrent = await database.fetchrow(
        "SELECT downloaded, uploaded_bytes, downloaded_bytes, seeding_seconds FROM infohashes WHERE info_hash = $1",
        FILM,
    )
    assert torrent is not None
    assert tuple(torrent) == (1, 50, 1000, 60)
    session = await database.fetchrow("SELECT * FROM announces")
    assert session is not None
    assert (session["uploaded"], session["uploaded_credit"], session["amount_left"]) == (50, 50, 0)
    assert await database.fetchval("SELECT snatched_time IS NOT NULL AND NOT leeching FROM memberships")


async def test_facts_of_an_entry_and_of_later_entries_are_one_history(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    for fact in a_download():
        await add_facts(redis_client, fact)
        await add_facts(redis_client, fact)
    await worker.settled(6)
    assert await database.fetchval("SELECT uploaded FROM peers WHERE key_hash = hash_announce_key('alice')") == 50
    assert await database.fetchval("SELECT snatched FROM peers WHERE key_hash = hash_announce_key('alice')") == 1


@pytest.mark.promise(26)
async def test_a_hybrid_torrents_hashes_share_statistics_and_tell_both_swarms_of_snatches(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    other = info_hash_of("film, v2")
    await database.execute(
        "INSERT INTO infohashes (info_hash, same_as, length) SELECT $1, id, 1000 FROM infohashes", other
    )
    for info_hash in (FILM, other):
        await redis_client.hset(redis_keys.members(info_hash), mapping={redis_keys.COUNTS_FIELD: bytes(16)})
    worker = await start_worker()
    facts = a_download()
    both = [twin for fact in facts for twin in (fact, fact._replace(info_hash=other))]
    await add_facts(redis_client, *both)
    await worker.settled(6)
    rows = await database.fetch("SELECT downloaded, uploaded_bytes, downloaded_bytes FROM infohashes ORDER BY id")
    assert [tuple(row) for row in rows] == [(1, 50, 1000), (0, 0, 0)]

    async def told() -> bool:
        fields = [
            await redis_client.hget(redis_keys.members(each), redis_keys.SNATCHES_FIELD) for each in (FILM, other)
        ]
        return fields == [b"1", b"1"]

    await eventually(told, "both swarms know of the snatch")


async def test_totals_add_up_everybodys_facts_once(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    await add_facts(redis_client, *a_download(), *a_download(guest=b"-GG0001-000000000000"))
    await worker.settled(6)
    await add_facts(redis_client, *a_download()[:2])  # older than what is stored
    await worker.settled(8)
    row = await database.fetchrow("SELECT announces, snatches, uploaded_bytes, downloaded_bytes FROM totals")
    assert row is not None
    assert [int(value) for value in row] == [6, 2, 100, 2000]


async def test_facts_of_a_disabled_key_are_dropped(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    await database.execute("UPDATE peers SET disabled_time = now() WHERE key_hash = hash_announce_key('alice')")
    worker = await start_worker()
    await add_facts(redis_client, *a_download())
    await worker.settled(3)
    assert await worker.metric('etracker_scoring_facts_total{outcome="unregistered"}') == 3
    assert await database.fetchval("SELECT sum(uploaded) FROM peers") == 0


async def test_a_swarm_that_is_not_there_is_not_made_by_a_snatch(
    redis_client: Redis, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    await add_facts(redis_client, *a_download())
    await worker.settled(3)
    assert not await redis_client.exists(redis_keys.members(FILM))


async def test_guests_count_for_the_torrent_and_have_a_session_without_a_key(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    facts = a_download(guest=b"-XX0000-guestguest01")
    for fact in facts:  # one transaction each, so that the stored session is found again
        await add_facts(redis_client, fact)
        await worker.settled(facts.index(fact) + 1)
    assert await database.fetchval("SELECT downloaded FROM infohashes") == 1
    assert [tuple(row) for row in await database.fetch("SELECT key_id, uploaded_credit, snatched FROM announces")] == [
        (None, 50, True)
    ]
    assert await database.fetchval("SELECT count(*) FROM memberships") == 0


async def test_facts_of_unregistered_keys_and_unlisted_torrents_are_dropped_and_counted(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    strangers = [make_fact(key="mallory"), make_fact(key="eve", flags=FactFlag.PROVISIONAL), make_fact(torrent="other")]
    await add_facts(redis_client, *strangers)
    await worker.settled(3)
    assert await worker.metric('etracker_scoring_facts_total{outcome="unregistered"}') == 2
    assert await worker.metric('etracker_scoring_facts_total{outcome="unlisted"}') == 1
    assert await database.fetchval("SELECT count(*) FROM announces") == 0


async def test_without_an_allowlist_new_hashes_are_recorded_under_their_hex_name(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    worker = await start_worker(disable_allowlist=True)
    await add_facts(redis_client, *a_download(torrent="new"), make_fact(key="mallory", torrent="not this one"))
    await worker.settled(4)
    rows = await database.fetch("SELECT name, downloaded, uploaded_bytes FROM infohashes WHERE info_hash <> $1", FILM)
    assert [tuple(row) for row in rows] == [(info_hash_of("new").hex(), 1, 50)]


async def test_poison_is_skipped_and_blocks_nothing(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    shard = redis_keys.facts(shard_of(hash_announce_key("alice")))
    good, *rest = a_download()
    await add_facts(redis_client, good)
    wrong_version = b"\xff" + pack_fact(good)[1:]
    for poison in (b"", b"short", wrong_version, pack_fact(make_fact(uploaded=-2)), pack_fact(make_fact(left=-2))):
        await redis_client.xadd(shard, {redis_keys.ENTRY_FIELD: poison})
    await redis_client.xadd(shard, {b"another field": b"1"})
    await add_facts(redis_client, *rest)
    await worker.settled(9)
    assert await worker.metric('etracker_scoring_facts_total{outcome="poison"}') == 6
    assert await database.fetchval("SELECT uploaded FROM peers WHERE key_hash = hash_announce_key('alice')") == 50

    async def trimmed() -> bool:
        return not await redis_client.xlen(shard)

    await eventually(trimmed, "the stream is trimmed after what is stored")


async def test_entries_that_postgres_refuses_are_found_and_skipped(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    await database.execute("ALTER TABLE announces ADD CHECK (corrupt <> 13)")
    for fact in (make_fact(), make_fact(key="bob", corrupt=13), make_fact(at=2, uploaded=7)):
        await add_facts(redis_client, fact)
    worker = await start_worker()
    await worker.settled(3)
    assert await worker.metric('etracker_scoring_facts_total{outcome="poison"}') == 1
    assert await database.fetchval("SELECT uploaded FROM peers WHERE key_hash = hash_announce_key('alice')") == 7


async def test_totals_stop_at_the_largest_bigint(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    worker = await start_worker(max_bytes_per_second=2**62)
    for at in range(6):
        await add_facts(redis_client, make_fact(at=at, uploaded=MAX_COUNTER if at % 2 else 0))
        await worker.settled(at + 1)
    assert (
        await database.fetchval("SELECT uploaded FROM peers WHERE key_hash = hash_announce_key('alice')") == MAX_COUNTER
    )
    assert await database.fetchval("SELECT uploaded_bytes FROM infohashes") == MAX_COUNTER
    assert await database.fetchval("SELECT uploaded_credit FROM announces") == MAX_COUNTER


async def test_a_clock_that_runs_ahead_does_not_make_later_facts_stale(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    await add_facts(redis_client, make_fact(at_ms=2**63))
    await worker.settled(1)
    now_ms = (await redis_client.time())[0] * 1000 + 1000
    await add_facts(redis_client, make_fact(at_ms=now_ms, uploaded=5))
    await worker.settled(2)
    assert await database.fetchval("SELECT uploaded FROM peers WHERE key_hash = hash_announce_key('alice')") == 5


async def test_deleting_a_key_and_a_torrent_under_way_loses_no_other_fact(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    worker = await start_worker()
    await database.execute("INSERT INTO peers (announce_key) SELECT 'key' || n FROM generate_series(1, 50) n")
    for at in range(20):
        await add_facts(redis_client, *(make_fact(key=f"key{n}", at=at, uploaded=at) for n in range(1, 51)))
        await database.execute("DELETE FROM peers WHERE key_hash = hash_announce_key($1)", f"key{at + 1}")
    await worker.settled(1000)
    left = await database.fetch("SELECT uploaded FROM peers WHERE last_seen IS NOT NULL")
    assert [row[0] for row in left] == [19] * 30


async def test_raw_facts_are_kept_only_when_asked_for(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    await database.execute("INSERT INTO facts VALUES (now() - interval '3 days', 'old'), (now(), 'new')")
    worker = await start_worker(fact_retention_days=2)
    fact = make_fact(at_ms=int(time.time() * 1000), uploaded=3)  # an older one might be tidied away at once
    await add_facts(redis_client, fact)
    await worker.settled(1)
    kept = {row[0] for row in await database.fetch("SELECT fact FROM facts")}
    assert {pack_fact(fact), b"new"} <= kept

    async def old_ones_are_gone() -> bool:
        return not await database.fetchval("SELECT count(*) FROM facts WHERE fact = 'old'")

    await eventually(old_ones_are_gone, "facts older than two days are deleted")


async def test_old_sessions_are_folded_into_memberships(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    first = await start_worker()
    await add_facts(redis_client, *a_download(), make_fact(guest=b"-XX0000-guestguest01"))
    await first.settled(4)
    assert await database.fetchval("SELECT count(*) FROM announces") == 2
    await database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    async def folded() -> bool:
        return not await database.fetchval("SELECT count(*) FROM announces")

    await eventually(folded, "sessions of 2023 are folded by whoever leads next")
    row = await database.fetchrow("SELECT uploaded, downloaded, seeding_seconds FROM memberships")
    assert row is not None
    assert tuple(row) == (50, 1000, 60)
