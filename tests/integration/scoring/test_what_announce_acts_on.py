"""What announce needs of a suspect stands in its row: where the evidence came from, and what was wasted."""

import json
import time
from collections import defaultdict

import asyncpg
import pytest
from redis.asyncio import Redis

from etracker_shared.agreements.anomalies import VERDICTS, Kind, Override, Verdict
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.cheats import SIZE, add_members, announces
from tests.support.scoring import StartWorker, add_facts
from tests.support.waiting import eventually

EVIDENCE = """
SELECT anomaly_id, kind, anomaly_evidence.points, prefix, data, info_hash_id,
    date_part('epoch', evidence_time - at) AS age
FROM anomaly_evidence JOIN anomalies ON anomalies.id = anomaly_id ORDER BY anomaly_evidence.id
"""


async def test_a_suspects_row_has_the_sums_of_its_evidence(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    await add_members(database)
    worker = await start_worker()
    facts = [fact._replace(prefix=_prefix(place)) for place, fact in enumerate(announces())]
    await add_facts(redis_client, *facts)
    await worker.settled(len(facts))
    expected: defaultdict[int, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    wasted: defaultdict[int, dict[str, float]] = defaultdict(dict)
    for row in await database.fetch(EVIDENCE):
        expected[row["anomaly_id"]][row["prefix"].hex()] += row["points"] * 0.5 ** (row["age"] / 3600 / 48)
        if VERDICTS.get(Kind(row["kind"])) is Verdict.WASTE:
            sizes = json.loads(row["data"]).get("excess", 0) / SIZE
            known = wasted[row["anomaly_id"]].get(str(row["info_hash_id"]), 0.0)
            wasted[row["anomaly_id"]][str(row["info_hash_id"])] = max(known, sizes)
    rows = await database.fetch("SELECT id, prefixes, wasted FROM anomalies")
    assert len(rows) == 4
    for row in rows:
        assert json.loads(row["prefixes"]) == pytest.approx(dict(expected[row["id"]]), rel=1e-3)
        assert json.loads(row["wasted"]) == pytest.approx(wasted[row["id"]])
    assert max(sizes for row in rows for sizes in json.loads(row["wasted"]).values()) > 3
    assert {len(json.loads(row["prefixes"])) for row in rows} >= {2}


@pytest.mark.parametrize("decision", [Override.EXEMPT, Override.CLEARED, Override.CONFIRMED])
async def test_a_decision_keeps_only_what_a_confirmation_needs(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker, decision: Override
) -> None:
    await add_members(database)
    worker = await start_worker()
    facts = announces()
    await add_facts(redis_client, *facts)
    await worker.settled(len(facts))
    await database.execute(
        "UPDATE anomalies SET override = $1, applied = 0, override_until = to_timestamp($2)",
        decision,
        time.time() + 3600,
    )

    async def applied() -> bool:
        return not await database.fetchval("SELECT count(*) FROM anomalies WHERE applied <> override")

    await eventually(applied, "the decision is applied")
    left = await database.fetchval("SELECT count(*) FROM anomalies WHERE prefixes <> '{}'")
    assert left == (4 if decision is Override.CONFIRMED else 0)


async def test_off_needs_no_table_of_the_detector(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker, postgres_settings: PostgresSettings
) -> None:
    await add_members(database)
    await database.execute(
        "DROP TABLE signals, traffic_blocks, swarm_blocks, anomalies, anomaly_evidence, anomaly_addresses,"
        " anomaly_appeals, detection_progress, client_counts CASCADE"
    )
    worker = await start_worker(detection="off")
    facts = announces()
    await add_facts(redis_client, *facts)
    await worker.settled(len(facts))
    assert await database.fetchval("SELECT count(*) FROM peers WHERE last_seen IS NOT NULL") == 4
    assert await worker.metric("etracker_scoring_batch_conflicts_total") == 0


def _prefix(place: int) -> bytes:
    return bytes((4, 10, 0, place // 5 % 3 // 2, 0, 0, 0))
