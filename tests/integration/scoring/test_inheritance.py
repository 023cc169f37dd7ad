"""A new key at the address of a suspected one begins with half of what was held against that."""

import asyncpg
import pytest
from redis.asyncio import Redis

from etracker_shared.agreements.anomalies import AnomalyState, Override
from tests.support.cheats import BEGAN, STEP, STEPS, add_members, faker, honest
from tests.support.facts import make_fact
from tests.support.scoring import StartWorker, add_facts

SINCE = BEGAN + STEPS * STEP
SCORES = "SELECT key_id, state, score FROM anomalies ORDER BY key_id"


async def settle_faker(client: Redis, start_worker: StartWorker, **settings: object) -> None:
    facts = [*honest(), *faker("faker")]
    worker = await start_worker(**settings)
    await add_facts(client, *facts)
    await worker.settled(len(facts))
    for key in ("heir", "elsewhere"):
        address = "faker" if key == "heir" else key
        await add_facts(client, make_fact(key=key, at=SINCE, address=address, torrent="film", uploaded=5))
    await worker.settled(len(facts) + 2)


@pytest.mark.parametrize("mode", ["observe", "enforce"])
async def test_a_new_key_inherits_half_of_the_score_and_others_nothing(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker, mode: str
) -> None:
    await add_members(database)
    heir = await database.fetchval("INSERT INTO peers (announce_key) VALUES ('heir'), ('elsewhere') RETURNING id")
    await settle_faker(redis_client, start_worker, detection=mode)
    former, found = await database.fetch(SCORES)
    assert former["state"] == AnomalyState.CONFIRMED
    assert (found["key_id"], found["state"]) == (heir, AnomalyState.SUSPECTED)
    assert found["score"] == pytest.approx(former["score"] / 2, rel=0.05)
    evidence = await database.fetch("SELECT text, prefix FROM anomaly_evidence WHERE data ? 'inherited'")
    assert [row["text"] for row in evidence] == [
        "A key or guest with P:sawtooth against it was used at the same address shortly before."
    ]
    assert await database.fetchval("SELECT prefixes <> '{}' AND wasted = '{}' FROM anomalies WHERE key_id = $1", heir)
    frozen = await database.fetchval("SELECT count(*) FROM peers WHERE frozen IS NOT NULL")
    assert frozen == (2 if mode == "enforce" else 0)


@pytest.mark.parametrize("change", [f"override = {Override.CLEARED:d}", "state = 0", ""])
async def test_nothing_is_inherited_from_those_who_were_cleared_or_left_long_ago(
    database: asyncpg.Connection,
    redis_client: Redis,
    start_worker: StartWorker,
    change: str,
) -> None:
    await add_members(database)
    await database.execute("INSERT INTO peers (announce_key) VALUES ('heir')")
    worker = await start_worker()
    facts = list(faker("faker"))
    await add_facts(redis_client, *facts)
    await worker.settled(len(facts))
    if change:
        await database.execute(f"UPDATE anomalies SET {change}")
    else:
        await database.execute("UPDATE anomaly_addresses SET last_seen = now() - interval '2 days'")
    await add_facts(redis_client, make_fact(key="heir", at=SINCE, address="faker", uploaded=5))
    await worker.settled(len(facts) + 1)
    assert await database.fetchval("SELECT count(*) FROM anomalies") == 1
