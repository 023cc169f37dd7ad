"""An error in the detector stops nothing but the judgement of one client or torrent.

The kind: whatever the detector can't cope with, which is here what is stored, and what clients claim.
"""

import time

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.remembered import SessionSignals, Signals, pack_signals, tag_of
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.worker.freezing import Freezer
from etracker_scoring.worker.stream import FactStreams
from etracker_scoring.worker.upkeep.balances import Balances
from etracker_scoring.worker.upkeep.suspects import Suspects
from etracker_shared.agreements.anomalies import BLOCK_SECONDS
from etracker_shared.agreements.facts import MAX_COUNTER
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.postgres import create_pool
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.cheats import KEYS, add_members, announces, states
from tests.support.facts import PEER_ID
from tests.support.scoring import RunningWorker, StartWorker, add_facts

FAULTS = "etracker_scoring_detector_faults_total"
BLOCK = int(time.time()) // BLOCK_SECONDS - 3
GIB = 2**30
TOO_MUCH = 2**1100  # for a float
ABSURD = Signals(sessions=(SessionSignals(tag_of(PEER_ID), 1, rates=1, rate_sum=TOO_MUCH),))


async def settle(client: Redis, start_worker: StartWorker) -> RunningWorker:
    worker = await start_worker()
    facts = announces()
    for first in range(0, len(facts), 5):
        await add_facts(client, *facts[first : first + 5])
    await worker.settled(len(facts))
    return worker


@pytest.mark.parametrize("state", [b"\xff\x00", b"\x01", b"", pack_signals(ABSURD)])
async def test_unusable_signals_are_forgotten(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker, state: bytes
) -> None:
    await add_members(database)
    await database.execute(
        "INSERT INTO signals (info_hash_id, identity, state) SELECT infohashes.id, int8send(peers.id), $1"
        " FROM infohashes, peers WHERE key_hash = $2",
        state,
        hash_announce_key("faker"),
    )
    worker = await settle(redis_client, start_worker)
    assert await worker.metric(FAULTS) >= 1
    assert await database.fetchval("SELECT count(*) FROM peers WHERE last_seen IS NOT NULL") == len(KEYS)
    assert await states(database) | {"faker": 2} == {"faker": 2, "joal": 2, "waster": 2}
    assert await database.fetchval("SELECT count(*) FROM signals WHERE state = $1", state) == 0


UNKNOWN = ('points = \'{"X:gone": 90, "P:rate": "many", "P:cycle": 1e400}\'', "verdict = 99", "override = 99")
UNUSABLE = ("since = 'infinity'", "points = '[1]'", "score_time = '-infinity'")


@pytest.mark.parametrize("change", [*UNKNOWN, *UNUSABLE])
async def test_an_unusable_anomaly_concerns_nobody_else(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker, change: str
) -> None:
    await add_members(database)
    await database.execute("INSERT INTO anomalies (key_id, state) SELECT id, 1 FROM peers WHERE id = 2")
    await database.execute(f"UPDATE anomalies SET {change}")
    await settle(redis_client, start_worker)
    assert await database.fetchval("SELECT count(*) FROM peers WHERE last_seen IS NOT NULL") == len(KEYS)
    found = await states(database)
    assert found | {"faker": 2} == {"faker": 2, "joal": 2, "waster": 2}
    assert (found["faker"] == 2) == (change in UNKNOWN)


async def test_an_unusable_anomaly_delays_no_operators_decision(
    database: asyncpg.Connection, postgres_settings: PostgresSettings
) -> None:
    await database.execute("INSERT INTO peers (announce_key) SELECT 'key' || n FROM generate_series(1, 3) n")
    await database.execute(
        "INSERT INTO anomalies (key_id, state, override, since)"
        " SELECT id, 1, 3, CASE id WHEN 1 THEN 'infinity'::timestamptz ELSE now() END FROM peers"
    )
    async with create_pool(postgres_settings, max_size=1) as pool:
        suspects = Suspects(pool, _freezer(), DetectionParameters(), WorkerMetrics(CollectorRegistry()))
        await suspects.apply_overrides()
        await suspects.let_time_pass(time.time())
    assert [row["state"] for row in await database.fetch("SELECT state FROM anomalies ORDER BY key_id")] == [1, 2, 2]


async def test_a_torrent_that_cannot_be_judged_holds_up_no_other(
    database: asyncpg.Connection, postgres_settings: PostgresSettings, redis_client: Redis
) -> None:
    await _exchange(database, GIB)
    await database.execute(
        "INSERT INTO swarm_blocks (info_hash_id, block, noise, cusum, onset, trusted)"
        " VALUES (2, $1 - 1, 1, 1e12, $1 + 5, 1)",
        BLOCK,
    )
    metrics = await _judge(postgres_settings, redis_client)
    judged = await database.fetch("SELECT info_hash_id FROM swarm_blocks WHERE block = $1 ORDER BY 1", BLOCK)
    assert [row["info_hash_id"] for row in judged] == [1, 3]
    assert metrics.anomalies.faults.labels("balance")._value.get() == 1
    assert await database.fetchval("SELECT block FROM detection_progress") > BLOCK


async def test_clients_that_claim_more_than_fits_hold_up_no_judgement(
    database: asyncpg.Connection, postgres_settings: PostgresSettings, redis_client: Redis
) -> None:
    await _exchange(database, MAX_COUNTER)
    await _judge(postgres_settings, redis_client)
    judged = await database.fetch("SELECT uploaded, received FROM swarm_blocks WHERE block = $1", BLOCK)
    assert [tuple(row) for row in judged] == [(MAX_COUNTER, MAX_COUNTER)] * 3


async def test_sums_frozen_by_another_release_hold_up_nothing(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    await add_members(database)
    await database.execute("UPDATE peers SET frozen = '{1,2}' WHERE key_hash = $1", hash_announce_key("honest"))
    await settle(redis_client, start_worker)
    assert await database.fetchval("SELECT count(*) FROM peers WHERE last_seen IS NOT NULL") == len(KEYS)


def _freezer() -> Freezer:
    return Freezer(ScoreParameters, enforced=False)


async def _judge(postgres: PostgresSettings, client: Redis) -> WorkerMetrics:
    metrics = WorkerMetrics(CollectorRegistry())
    async with create_pool(postgres, max_size=1) as pool:
        balances = Balances(pool, FactStreams(client), _freezer(), DetectionParameters(), metrics)
        await balances.judge_due(time.time())
    return metrics


async def _exchange(database: asyncpg.Connection, amount: int) -> None:
    """Let two keys exchange this much, both ways, in two blocks of three private torrents."""
    await database.execute("INSERT INTO peers (announce_key) VALUES ('one'), ('other')")
    await database.execute(
        "INSERT INTO infohashes (id, info_hash, length, private)"
        " SELECT n, decode(lpad(to_hex(n), 40, '0'), 'hex'), $1, true FROM generate_series(1, 3) n",
        GIB,
    )
    await database.execute(
        "INSERT INTO traffic_blocks (slot, block, info_hash_id, identity, uploaded, received)"
        " SELECT block / 12 % 8, block, infohashes.id, int8send(peers.id), $2, $2"
        " FROM generate_series($1 - 1, $1::int) block, infohashes, peers",
        BLOCK,
        amount,
    )
    await database.execute("INSERT INTO detection_progress VALUES (0, $1, 0)", BLOCK)
