"""The canary from end to end: tools that act on the tracker's numbers, against announce and the worker's own parts.

Time is replayed: announce and the job get the test's clock, and three days pass in seconds. All three clients are
suspected for the same reason, uploads of data that they never had, which can't confirm anybody. Only the canary can
tell them apart.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.worker.freezing import Freezer
from etracker_scoring.worker.stream import FactStreams
from etracker_scoring.worker.upkeep.balances import Balances
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, AnomalyState, Kind
from etracker_shared.agreements.facts import SHARDS
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.postgres import create_pool
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import Announcer, running_announcer
from tests.support.clock import Clock
from tests.support.postgres import connect
from tests.support.recorder import split
from tests.support.scoring import worker_settings
from tests.support.settlers import all_settled, make_settler
from tests.support.waiting import eventually

INFO_HASH = bytes(range(20))
SIZE = 4 * 2**30
HALF_HOUR = 1800
TURN_SECONDS = 3600
LEFT_OUT_SECONDS = 10.0
PARAMETERS = DetectionParameters()
BLOCKS_TO_SUSPICION = 4
BLOCKS = BLOCKS_TO_SUSPICION + 2 * PARAMETERS.canary_first_pairs + 2
JOAL, RATIO_MASTER, HONEST, SEEDER, LEECHER, STRANGER = (f"{number:030x}" for number in range(1, 7))

_ACCUSED = """
SELECT DISTINCT key_hash FROM anomaly_evidence JOIN anomalies ON anomalies.id = anomaly_id
JOIN peers ON peers.id = key_id WHERE kind = $1
"""

Reply = dict[bytes, Any]
Tool = Callable[[Reply, random.Random], int]
"""How many bytes a client claims to upload in half an hour, by the last reply."""


def _by_joals_formula(reply: Reply, luck: random.Random) -> int:
    """Share a random rate by the swarm: nothing without leechers or seeders."""
    leechers, seeders = reply[b"incomplete"], reply[b"complete"]
    weight = leechers / (leechers + seeders) if leechers and seeders else 0.0
    return round(luck.uniform(30_000, 170_000) * weight * HALF_HOUR)


def _as_its_line_allows(reply: Reply, luck: random.Random) -> int:
    return round(luck.uniform(30_000, 170_000) * HALF_HOUR)


class _RatioMaster:
    """Stops for good when it sees no leechers."""

    def __init__(self) -> None:
        self.stopped = False

    def __call__(self, reply: Reply, luck: random.Random) -> int:
        self.stopped = self.stopped or not reply[b"incomplete"]
        return 0 if self.stopped else round((100_000 + 10_000 * luck.random()) * HALF_HOUR)


def source_of(key: str) -> str:
    """Return the address of a client: each has a network of its own."""
    return f"198.51.{100 + int(key, 16)}.7"


@dataclass
class Tracker:
    """Announce and the worker's parts on one clock."""

    announcer: Announcer
    clock: Clock
    settle: Callable[[], Any]
    balances: Balances
    database: asyncpg.Connection

    async def announce(self, key: str, **more: Any) -> Reply:
        peer_id = b"-LT2110-" + key[-12:].encode()
        return await self.announcer.announce(key, INFO_HASH, peer_id, source=source_of(key), port=7000, **more)

    async def states(self) -> dict[str, AnomalyState]:
        rows = await self.database.fetch("SELECT key_hash, state FROM anomalies JOIN peers ON peers.id = key_id")
        found = {row["key_hash"]: AnomalyState(row["state"]) for row in rows}
        return {key: found[hash_announce_key(key)] for key in (JOAL, RATIO_MASTER, HONEST)}

    async def knows(self, suspects: int) -> None:
        async def all_known() -> bool:
            return f"etracker_announce_suspects {suspects}.0" in (await self.announcer.observe("/metrics"))[1]

        await eventually(all_known, f"announce knows {suspects} suspects")


@pytest.fixture
async def tracker(
    database: asyncpg.Connection, postgres_settings: PostgresSettings, redis_settings: RedisSettings
) -> AsyncIterator[Tracker]:
    clock = Clock((time.time() // BLOCK_SECONDS - BLOCKS - 2) * BLOCK_SECONDS)
    settings: dict[str, Any] = {"detection": "enforce", "budget_burst": 0, "private_peers": "always"}
    redis: Redis = Redis.from_url(redis_settings.redis_url)
    # Announce's sweeper would remove everybody, since it has the real time: it finds that another one has its turn.
    await redis.set(redis_keys.SWEEPER_LOCK, b"this test", ex=TURN_SECONDS)
    settling = await connect(postgres_settings)
    keys = (JOAL, RATIO_MASTER, HONEST, SEEDER, LEECHER, STRANGER)
    async with (
        running_announcer(postgres_settings, redis_settings, clock, **settings) as running,
        create_pool(postgres_settings, max_size=2) as pool,
    ):
        for key in keys:
            running.scoring.register(key)
        await running.track(INFO_HASH)
        await running.sql("UPDATE infohashes SET length = $1", [(SIZE,)])
        await running.sql("INSERT INTO peers (announce_key) VALUES ($1)", [(key,) for key in keys])
        enforced = worker_settings(postgres_settings, redis_settings, detection="enforce")
        settler = make_settler(settling, redis, enforced, set(range(SHARDS)), max_facts=1000)
        freezer = Freezer(ScoreParameters, enforced=True)
        metrics = WorkerMetrics(CollectorRegistry())
        balances = Balances(pool, FactStreams(redis), freezer, PARAMETERS, metrics)

        async def settle() -> None:
            await eventually(partial(all_settled, redis), "all facts are settled")

        worker = asyncio.create_task(settler.run())
        yield Tracker(running, clock, settle, balances, database)
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker
    await settling.close()
    await redis.aclose()


async def test_the_canary_confirms_what_follows_the_numbers_and_nobody_else(tracker: Tracker) -> None:
    ratio_master = _RatioMaster()
    tools: dict[str, Tool] = {JOAL: _by_joals_formula, RATIO_MASTER: ratio_master, HONEST: _as_its_line_allows}
    luck, uploaded = random.Random(7), dict.fromkeys(tools, 0)
    replies: dict[str, Reply] = {}
    for block in range(BLOCKS):
        for _ in _half_hours(tracker.clock):
            await tracker.announce(SEEDER, left=0)
            await tracker.announce(LEECHER, left=SIZE // 2)
            for key, tool in tools.items():
                uploaded[key] += tool(replies[key], luck) if replies else 0
            for key in tools:
                replies[key] = await tracker.announce(key, uploaded=uploaded[key], left=SIZE)
        await tracker.settle()
        await tracker.balances.judge_due(tracker.clock.now)
        if block == BLOCKS_TO_SUSPICION - 1:
            assert set((await tracker.states()).values()) == {AnomalyState.SUSPECTED}
            await tracker.knows(len(tools))
    assert await tracker.states() == {
        JOAL: AnomalyState.CONFIRMED,
        RATIO_MASTER: AnomalyState.SUSPECTED,
        HONEST: AnomalyState.SUSPECTED,
    }
    assert ratio_master.stopped
    accused = await tracker.database.fetch(_ACCUSED, Kind.CANARY)
    assert [row["key_hash"] for row in accused] == [hash_announce_key(JOAL)]

    async def is_left_out() -> bool:
        listed = [address for address, _ in split((await tracker.announce(STRANGER, left=SIZE))[b"peers"], 4)]
        assert source_of(HONEST) in listed
        return source_of(JOAL) not in listed

    await eventually(is_left_out, "others aren't given it any more", LEFT_OUT_SECONDS)


def _half_hours(clock: Clock) -> Iterator[None]:
    """Pass a block's time, in steps between announces."""
    for _ in range(BLOCK_SECONDS // HALF_HOUR):
        yield
        clock.now += HALF_HOUR
