"""A closed swarm in which one member begins to invent uploads, as facts, and what is concluded about it."""

import random
import time
from collections.abc import Sequence

import asyncpg
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.settings import WorkerSettings
from etracker_scoring.worker.freezing import Freezer
from etracker_scoring.worker.stream import FactStreams
from etracker_scoring.worker.upkeep.balances import Balances
from etracker_shared.agreements.anomalies import BLOCK_SECONDS
from etracker_shared.agreements.facts import SHARDS, Event, Fact
from etracker_shared.plumbing.postgres import create_pool
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.cheats import findings
from tests.support.facts import START_MS, info_hash_of, make_fact
from tests.support.postgres import connect
from tests.support.scoring import add_facts
from tests.support.settlers import make_settler

GIB = 2**30
SIZE = 200 * GIB
SEEDERS = tuple(f"seeder{number}" for number in range(6))
LEECHERS = tuple(f"leecher{number}" for number in range(4))
CHEAT = "cheat"
BLOCKS = 40
ONSET = 15
STEPS = BLOCK_SECONDS // 1800
FIRST = int(time.time()) // BLOCK_SECONDS - BLOCKS - 2
LAST = FIRST + BLOCKS - 1
DUE_SECONDS = BLOCK_SECONDS + DetectionParameters().judge_after_seconds


async def add_members(database: asyncpg.Connection) -> None:
    """Register the swarm's keys and its private torrent, and begin to judge with its first block."""
    keys = [(key,) for key in (*SEEDERS, *LEECHERS, CHEAT)]
    await database.executemany("INSERT INTO peers (announce_key) VALUES ($1)", keys)
    await database.execute(
        "INSERT INTO infohashes (info_hash, length, piece_length, private) VALUES ($1, $2, 4194304, true)",
        info_hash_of("film"),
        SIZE,
    )
    await judge_from_the_start(database)


async def judge_from_the_start(database: asyncpg.Connection) -> None:
    await database.execute(
        "INSERT INTO detection_progress VALUES (0, $1, 0)"
        " ON CONFLICT (id) DO UPDATE SET block = excluded.block, info_hash_id = 0",
        FIRST,
    )


def announces() -> list[list[Fact]]:
    """Return the announces of each block."""
    rng = random.Random(1)
    sent, received = dict.fromkeys((*SEEDERS, CHEAT), 0), 0
    blocks = [[_fact(who, 0, sent, received) for who in (*SEEDERS, *LEECHERS, CHEAT)]]
    for block in range(BLOCKS):
        facts = []
        for step in range(block * STEPS + 1, (block + 1) * STEPS + 1):
            parts = {who: int(rng.uniform(0.3, 1.7) * GIB / 6) for who in SEEDERS}
            received += sum(parts.values()) // len(LEECHERS)
            parts[CHEAT] = int(rng.uniform(0.3, 0.7) * GIB) if block >= ONSET else 0
            sent = {who: total + parts[who] for who, total in sent.items()}
            facts += [_fact(who, step, sent, received) for who in (*SEEDERS, *LEECHERS, CHEAT)]
        blocks.append(facts)
    return blocks


def _fact(who: str, step: int, sent: dict[str, int], received: int) -> Fact:
    leeches = who in LEECHERS
    return make_fact(
        key=who,
        at=FIRST * BLOCK_SECONDS + step * 1800 - START_MS / 1000,
        uploaded=0 if leeches else sent[who],
        downloaded=received if leeches else 0,
        left=SIZE - received if leeches else 0,
        event=Event.REGULAR if step else Event.STARTED,
        peer_id=f"-qB5110-{who:0>12}".encode(),
        address=who,
    )


async def settle(client: Redis, settings: WorkerSettings, blocks: Sequence[Sequence[Fact]], at_once: int = 500) -> None:
    """Settle facts in this process, in the order of time."""
    facts = [fact for block in blocks for fact in block]
    connection = await connect(settings)
    settler = make_settler(connection, client, settings, set(range(SHARDS)), max_facts=at_once)
    for first in range(0, len(facts), at_once):
        await add_facts(client, *facts[first : first + at_once])
        await settler._beat()
        while await settler.step():
            pass
    await connection.close()


async def judge(
    postgres: PostgresSettings, client: Redis, now: float, parameters: DetectionParameters | None = None
) -> None:
    """Judge what is due."""
    metrics, freezer = WorkerMetrics(CollectorRegistry()), Freezer(ScoreParameters, enforced=False)
    async with create_pool(postgres, max_size=2) as pool:
        await Balances(pool, FactStreams(client), freezer, parameters or DetectionParameters(), metrics).judge_due(now)


def due_time(block: int) -> int:
    """Return when a block of :func:`announces` is due to be judged."""
    return (FIRST + block) * BLOCK_SECONDS + DUE_SECONDS


async def all_findings(database: asyncpg.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Return everything that the detector stored, the balances included."""
    swarms = await database.fetch("SELECT * FROM swarm_blocks ORDER BY info_hash_id, block")
    return await findings(database) | {"swarms": [tuple(row) for row in swarms]}


async def forget_judgements(database: asyncpg.Connection) -> None:
    """Delete what the job that judges swarms has written."""
    await database.execute("TRUNCATE swarm_blocks, anomalies, anomaly_evidence, anomaly_addresses, anomaly_appeals")
    await judge_from_the_start(database)
