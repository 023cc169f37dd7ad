"""From facts to the confirmation of a member that invents uploads, whatever happens to the worker on the way."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import asyncpg
from redis.asyncio import Redis

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.replay.export import export
from etracker_scoring.replay.program import replay
from etracker_scoring.replay.settings import ExportSettings
from etracker_shared.agreements.anomalies import AnomalyState
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support import closed_swarm
from tests.support.closed_swarm import CHEAT, all_findings
from tests.support.scoring import worker_settings

STATES = """
SELECT encode(key_hash, 'hex') AS key, state, date_part('epoch', since) AS since, points
FROM anomalies JOIN peers ON peers.id = key_id ORDER BY 1
"""


async def test_invented_uploads_are_confirmed_and_a_worker_that_was_dead_for_days_comes_to_the_same(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
) -> None:
    settings = worker_settings(postgres_settings, redis_settings)
    await closed_swarm.add_members(database)
    begin, *blocks = closed_swarm.announces()
    await closed_swarm.settle(redis_client, settings, [begin])
    for first in range(0, closed_swarm.BLOCKS, 5):
        await closed_swarm.settle(redis_client, settings, blocks[first : first + 5])
        await closed_swarm.judge(postgres_settings, redis_client, closed_swarm.due_time(first + 4))
    timely = await all_findings(database)
    (verdict,) = await database.fetch(STATES)
    assert (verdict["key"], verdict["state"]) == (hash_announce_key(CHEAT).hex(), AnomalyState.CONFIRMED)
    assert [key.split(":")[:2] for key in json.loads(verdict["points"])] == [["C", "upload"]]
    await database.execute("TRUNCATE announces, memberships, signals, traffic_blocks")
    await closed_swarm.forget_judgements(database)
    await closed_swarm.settle(redis_client, settings, [begin, *blocks])
    await closed_swarm.judge(postgres_settings, redis_client, time.time())
    assert await all_findings(database) == timely


async def test_a_replay_of_a_closed_swarm_comes_to_the_workers_verdicts(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
    tmp_path: Path,
) -> None:
    settings = worker_settings(postgres_settings, redis_settings, fact_retention_days=6)
    await closed_swarm.add_members(database)
    await closed_swarm.settle(redis_client, settings, closed_swarm.announces())
    await closed_swarm.judge(postgres_settings, redis_client, time.time())
    lines = await asyncio.to_thread(_replayed, ExportSettings(**postgres_settings.model_dump()), tmp_path)
    (live,) = await database.fetch(STATES)
    assert (lines[-1]["key"], lines[-1]["state"], lines[-1]["time"]) == (live["key"], "confirmed", live["since"])
    assert {line["key"] for line in lines} == {live["key"]}
    assert lines[-1]["kinds"] == ["C:upload"]


def _replayed(settings: ExportSettings, directory: Path) -> list[dict[str, Any]]:
    announces, torrents, out = (str(directory / name) for name in ("announces.jsonl", "torrents.jsonl", "out.jsonl"))
    export(settings, announces, torrents)
    replay(announces, torrents, out, DetectionParameters())
    return [json.loads(line) for line in Path(out).read_text().splitlines()]
