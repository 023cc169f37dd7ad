"""The balance of swarms is judged once per torrent and block with traffic, whoever is killed in the meantime."""

import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.worker.freezing import Freezer
from etracker_scoring.worker.stream import FactStreams
from etracker_scoring.worker.traffic_ring import BLOCKS_PER_DAY, slot_of
from etracker_scoring.worker.upkeep.balance_rows import TORRENTS_AT_ONCE, forget_old
from etracker_scoring.worker.upkeep.balances import Balances
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, Kind
from etracker_shared.agreements.canary import is_blinded
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.postgres import create_pool
from etracker_shared.plumbing.settings import PostgresSettings

TORRENTS = 2 * TORRENTS_AT_ONCE + 50
NOW = int(time.time())
BLOCK = NOW // BLOCK_SECONDS - 3
GIB = 2**30


@pytest.fixture
async def pool(postgres_settings: PostgresSettings) -> AsyncIterator[asyncpg.Pool]:
    async with create_pool(postgres_settings, max_size=2) as pool:
        yield pool


def balances(pool: asyncpg.Pool, client: Redis, *, enforced: bool = False) -> Balances:
    freezer = Freezer(ScoreParameters, enforced=enforced)
    return Balances(pool, FactStreams(client), freezer, DetectionParameters(), WorkerMetrics(CollectorRegistry()))


async def fill(database: asyncpg.Connection, blocks: int = 1) -> None:
    """Let two keys exchange data in every torrent and block."""
    await database.execute("INSERT INTO peers (announce_key) VALUES ('seeder'), ('leecher')")
    await database.execute(
        "INSERT INTO infohashes (info_hash, length) SELECT decode(lpad(to_hex(n), 40, '0'), 'hex'), $1"
        " FROM generate_series(1, $2) n",
        GIB,
        TORRENTS,
    )
    await database.execute(
        "INSERT INTO traffic_blocks (slot, block, info_hash_id, identity, uploaded, received, dropped)"
        " SELECT block / 12 % 8, block, infohashes.id, int8send(peers.id), (peers.id = 1)::int * 100000000,"
        " (peers.id = 2)::int * 100000000, 0 FROM generate_series($1::int, $2::int) block, infohashes, peers",
        BLOCK,
        BLOCK + blocks - 1,
    )
    await database.execute("INSERT INTO detection_progress VALUES (0, $1, 0)", BLOCK)


async def judged(database: asyncpg.Connection) -> list[tuple[int, int]]:
    rows = await database.fetch("SELECT block, count(*) FROM swarm_blocks GROUP BY 1 ORDER BY 1")
    return [tuple(row) for row in rows]


async def test_a_job_that_is_killed_between_two_torrents_goes_on_where_it_was(
    database: asyncpg.Connection, redis_client: Redis, pool: asyncpg.Pool
) -> None:
    await fill(database, blocks=2)
    assert await balances(pool, redis_client).judge_some(NOW)
    assert await judged(database) == [(BLOCK, TORRENTS_AT_ONCE)]
    await balances(pool, redis_client).judge_due(NOW)
    assert await judged(database) == [(BLOCK, TORRENTS), (BLOCK + 1, TORRENTS)]
    assert await database.fetchval("SELECT block FROM detection_progress") >= BLOCK + 2
    assert await database.fetchval("SELECT count(*) FROM anomalies") == 0


async def test_blocks_wait_until_the_facts_about_them_are_settled(
    database: asyncpg.Connection, redis_client: Redis, pool: asyncpg.Pool
) -> None:
    await fill(database)
    soon = (BLOCK + 1) * BLOCK_SECONDS + DetectionParameters().judge_after_seconds
    await balances(pool, redis_client).judge_due(soon - 1)
    assert await judged(database) == []
    during = BLOCK * BLOCK_SECONDS + 5
    await redis_client.xadd(redis_keys.facts(3), {redis_keys.ENTRY_FIELD: b""}, id=f"{during * 1000}-0")
    await balances(pool, redis_client).judge_due(NOW)
    assert await judged(database) == []
    await redis_client.xtrim(redis_keys.facts(3), maxlen=0, approximate=False)
    await balances(pool, redis_client).judge_due(NOW)
    assert await judged(database) == [(BLOCK, TORRENTS)]


async def test_the_first_start_begins_with_the_current_block(
    database: asyncpg.Connection, redis_client: Redis, pool: asyncpg.Pool
) -> None:
    await balances(pool, redis_client).judge_due(NOW)
    assert await database.fetchval("SELECT block FROM detection_progress") == NOW // BLOCK_SECONDS


async def test_the_days_that_come_next_are_emptied_and_the_others_are_kept(
    database: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    block = NOW // BLOCK_SECONDS
    days = range(8)
    await database.executemany(
        "INSERT INTO traffic_blocks (slot, block, info_hash_id, identity, uploaded) VALUES ($1, $2, 1, $3, 1)",
        [(slot_of(at), at, bytes(8)) for at in (block - day * BLOCKS_PER_DAY for day in days)],
    )
    await forget_old(pool, NOW)
    kept = {row["block"] for row in await database.fetch("SELECT block FROM traffic_blocks")}
    assert kept == {block - day * BLOCKS_PER_DAY for day in range(6)}


async def test_all_rows_that_are_too_old_are_deleted(database: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    await fill(database)
    block = NOW // BLOCK_SECONDS
    await database.execute(
        "INSERT INTO swarm_blocks (info_hash_id, block, noise, cusum, trusted)"
        " SELECT id, block, 1, 0, 0 FROM infohashes, unnest($1::int[]) block",
        [block, block - 31 * BLOCKS_PER_DAY],
    )
    await database.execute(
        "INSERT INTO signals (info_hash_id, identity, state, last_seen)"
        " SELECT id, int8send(1), '', now() - id % 2 * interval '15 days' FROM infohashes"
    )
    await forget_old(pool, NOW, rows_at_once=100)
    assert await judged(database) == [(block, TORRENTS)]
    assert await database.fetchval("SELECT count(*) FROM signals") == TORRENTS // 2


@pytest.mark.parametrize("enforced", [True, False])
async def test_a_suspect_whose_uploads_follow_the_numbers_shown_is_accused(
    database: asyncpg.Connection, redis_client: Redis, pool: asyncpg.Pool, enforced: bool
) -> None:
    """It is read in torrents without traffic in the block, too: one whose uploads stopped has none."""
    parameters, last = DetectionParameters(), BLOCK | 1
    begin = last + 1 - 2 * parameters.canary_first_pairs
    key_id = await database.fetchval("INSERT INTO peers (announce_key) VALUES ('faker') RETURNING id")
    info_hash = bytes(19) + b"x"
    torrent = await database.fetchval("INSERT INTO infohashes (info_hash) VALUES ($1) RETURNING id", info_hash)
    secret = await database.fetchval("SELECT value FROM secrets WHERE name = 'pair'")
    await database.execute(
        "INSERT INTO announces (key_id, info_hash_id, peer_id, first_seen, last_seen, present)"
        " VALUES ($1, $2, $3, to_timestamp($4), to_timestamp($5), -1)",
        key_id,
        torrent,
        bytes(20),
        (begin - 1) * BLOCK_SECONDS,
        last * BLOCK_SECONDS + 9.0,
    )
    shown = [
        at for at in range(begin, last + 1) if not is_blinded(secret, hash_announce_key("faker")[:8], info_hash, at)
    ]
    await database.executemany(
        "INSERT INTO traffic_blocks (slot, block, info_hash_id, identity, uploaded)"
        " VALUES ($1, $2, $3, int8send($4), $5)",
        [(slot_of(at), at, torrent, key_id, GIB) for at in shown],
    )
    await database.execute(
        "INSERT INTO anomalies (key_id, state, score, score_time, since) VALUES ($1, 1, 50, now(), to_timestamp($2))",
        key_id,
        (begin - 1) * BLOCK_SECONDS + 5.0,
    )
    await database.execute("INSERT INTO detection_progress VALUES (0, $1, 0)", last)
    await balances(pool, redis_client, enforced=enforced).judge_due(NOW + 2 * BLOCK_SECONDS)
    kinds = [row["kind"] for row in await database.fetch("SELECT kind FROM anomaly_evidence")]
    assert kinds == ([str(Kind.CANARY)] if enforced else [])


async def test_anomalies_of_which_nothing_is_left_are_deleted_after_90_days(
    database: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    await database.execute(
        "INSERT INTO anomalies (guest, state, override, note, score_time, since)"
        " SELECT decode(lpad(to_hex(n), 32, '0'), 'hex'), n % 4, CASE WHEN n = 8 THEN 1 END,"
        " CASE WHEN n = 12 THEN 'seen' ELSE '' END, since, since"
        " FROM generate_series(0, 16) n, LATERAL (SELECT now() - (n + 80) * interval '1 day' AS since) days"
    )
    await forget_old(pool, NOW)
    kept = await database.fetch("SELECT get_byte(guest, 15) AS number FROM anomalies ORDER BY 1")
    expected = [number for number in range(17) if number <= 10 or number % 4 in {1, 2} or number in {8, 12}]
    assert [row["number"] for row in kept] == expected
