"""Announce hides a swarm in the blocks in which the worker looks for an effect, for whatever is announced.

The kind: one torrent or identity under two names. Announce sees infohashes and key hashes, the worker stores row ids.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
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
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, DetectionMode, Kind
from etracker_shared.agreements.facts import SHARDS
from etracker_shared.language.identity import hash_announce_key, hash_guest
from etracker_shared.plumbing.postgres import create_pool
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import Announcer, running_announcer
from tests.support.clock import Clock
from tests.support.postgres import connect
from tests.support.scoring import worker_settings
from tests.support.settlers import all_settled, make_settler
from tests.support.waiting import eventually

V1, V2 = b"1" * 20, b"2" * 20
"""Both halves of a hybrid torrent, the second as a v2 hash cut to 20 bytes."""
KEY, LEECHER = "f" * 30, "1" * 30
MIB = 2**20
PAIRS = DetectionParameters().canary_first_pairs
LAST = (int(time.time()) // BLOCK_SECONDS - 3) | 1
FIRST = LAST + 1 - 2 * PAIRS
ANNOUNCED_AT = (5, 3600, 7190)


@dataclass
class Faker:
    """Reports uploads as long as it is shown a leecher; announces the infohashes in turn."""

    announcer: Announcer
    key: str | None
    info_hashes: tuple[bytes, ...]
    peer_id: bytes
    uploaded: int = 0
    shown: dict[int, set[int]] = field(default_factory=dict)
    turn: int = 0

    async def announce(self, block: int, *, uploads: bool) -> None:
        seen = self.shown.setdefault(block, set())
        if uploads and max(seen):
            self.uploaded += 20 * MIB + len(seen) + self.turn
        info_hash = self.info_hashes[self.turn % len(self.info_hashes)]
        self.turn += 1
        fields: dict[str, Any] = {"left": 0, "uploaded": self.uploaded, "source": "198.51.100.9", "client_key": "c"}
        reply = await self.announcer.announce(self.key, info_hash, self.peer_id, **fields)
        (scraped,) = (await self.announcer.scrape(self.key, info_hash))[b"files"].values()
        assert self.key is None or scraped[b"incomplete"] == reply[b"incomplete"]
        seen.add(reply[b"incomplete"])


def moments() -> Iterator[tuple[int, int]]:
    return ((block, second) for block in range(FIRST, LAST + 1) for second in ANNOUNCED_AT)


async def leech(announcer: Announcer) -> None:
    for number, info_hash in enumerate((V1, V2)):
        await announcer.announce(LEECHER, info_hash, b"-TR3000-leecher0000%d" % number, source="198.51.101.9")


async def settle(redis_client: Redis, settings: PostgresSettings, redis_settings: RedisSettings) -> None:
    connection = await connect(settings)
    settler = make_settler(
        connection,
        redis_client,
        worker_settings(settings, redis_settings, detection="enforce"),
        set(range(SHARDS)),
        max_facts=1000,
    )
    settling = asyncio.create_task(settler.run())
    await eventually(lambda: _settled(redis_client, settling), "all facts are settled")
    settling.cancel()
    await asyncio.wait({settling})
    await connection.close()


async def _settled(redis_client: Redis, settling: "asyncio.Task[None]") -> bool:
    assert not settling.done(), settling.exception()
    return await all_settled(redis_client)


@pytest.fixture
async def redis_client(redis_settings: RedisSettings) -> AsyncIterator[Redis]:
    client: Redis = Redis.from_url(redis_settings.redis_url)
    yield client
    await client.aclose()


@pytest.mark.parametrize(("info_hashes", "guest"), [((V1, V2), False), ((V2,), True)], ids=["both halves", "guest"])
async def test_the_worker_finds_a_faker_that_follows_the_numbers_announce_shows_it(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
    *,
    info_hashes: tuple[bytes, ...],
    guest: bool,
) -> None:
    peer_id = b"-TR3000-faker0000000"
    key_hash = hash_guest(peer_id, b"c") if guest else hash_announce_key(KEY)
    clock = Clock(FIRST * BLOCK_SECONDS - 100.0)
    await database.execute("INSERT INTO peers (announce_key) VALUES ($1), ($2)", KEY, LEECHER)
    await database.execute(
        "INSERT INTO infohashes (info_hash, length) SELECT *, $2 FROM unnest($1::bytea[])", [V1, V2], 10**9
    )
    await database.execute("UPDATE infohashes SET same_as = 1 WHERE info_hash = $1", V2)
    await database.execute(
        "INSERT INTO anomalies (key_id, guest, state, score, score_time, since)"
        " SELECT CASE WHEN $1 THEN NULL ELSE 1 END, CASE WHEN $1 THEN $2::bytea END, 1, 50, now(), to_timestamp($3)",
        guest,
        key_hash,
        clock.now,
    )
    # The sweeper goes by the real time: it would remove everybody from swarms of the past.
    await redis_client.set(redis_keys.SWEEPER_LOCK, "held by a test")
    settings: dict[str, Any] = {"detection": DetectionMode.ENFORCE, "budget_burst": 0}
    async with running_announcer(postgres_settings, redis_settings, clock, **settings) as announcer:
        announcer.scoring.register(KEY)
        announcer.scoring.register(LEECHER)
        faker = Faker(announcer, None if guest else KEY, info_hashes, peer_id)
        await eventually(lambda: knows_a_suspect(announcer), "a suspect is known")
        for block, second in moments():
            clock.now = block * BLOCK_SECONDS + second
            await leech(announcer)
            await faker.announce(block, uploads=second != ANNOUNCED_AT[0])
    assert all(len(seen) == 1 for seen in faker.shown.values()), "both halves show the same in a block"
    await settle(redis_client, postgres_settings, redis_settings)
    await database.execute("INSERT INTO detection_progress VALUES (0, $1, 0)", LAST)
    async with create_pool(postgres_settings, max_size=2) as pool:
        freezer = Freezer(ScoreParameters, enforced=True)
        metrics = WorkerMetrics(CollectorRegistry())
        await Balances(pool, FactStreams(redis_client), freezer, DetectionParameters(), metrics).judge_due(time.time())
    found = await database.fetch("SELECT kind FROM anomaly_evidence WHERE kind = $1", Kind.CANARY)
    assert len(found) == 1


async def knows_a_suspect(announcer: Announcer) -> bool:
    return "etracker_announce_suspects 1.0" in (await announcer.observe("/metrics"))[1]
