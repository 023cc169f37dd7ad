"""A command that the client repeats has run twice: neither run may be taken for a loss of data."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from structlog.testing import capture_logs

from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.worker.swarms import RedisSwarms
from etracker_scoring.worker.upkeep.counts import CountsSync
from etracker_scoring.worker.upkeep.torrent_counts import TorrentCounts
from etracker_shared.agreements import redis_keys
from etracker_shared.plumbing.redis_connections import connect_redis
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.redis import RedisServer

TAGS = len(redis_keys.ALL_SYNCED)
STALL_SECONDS = 1.3
"""More than the client waits for its first attempt, less than for both."""


async def marks(client: Redis) -> list[bytes | str | None]:
    return list(set(await client.mget(redis_keys.ALL_SYNCED)))


@asynccontextmanager
async def stalled(server: RedisServer) -> AsyncIterator[None]:
    os.kill(server.pid, signal.SIGSTOP)
    going_on = asyncio.get_running_loop().call_later(STALL_SECONDS, os.kill, server.pid, signal.SIGCONT)
    try:
        yield
    finally:
        going_on.cancel()
        os.kill(server.pid, signal.SIGCONT)


async def test_a_redis_that_stalls_while_its_tags_are_marked_has_lost_nothing(
    postgres_settings: PostgresSettings, dedicated_redis: RedisServer
) -> None:
    """A full or slow disk stalls Redis past the timeout; what was sent runs when it goes on, and so does the repeat."""
    settings = dedicated_redis.settings()
    async with (
        connect_redis(settings) as client,
        Redis.from_url(settings.redis_url) as other,
        asyncpg.create_pool(**postgres_settings.asyncpg_arguments(), min_size=0) as pool,
    ):
        sync = CountsSync(RedisSwarms(client), TorrentCounts(pool), WorkerMetrics(CollectorRegistry()), 20.0)
        await sync.sync()
        (before,) = await marks(other)
        assert isinstance(before, bytes)
        expected = dict.fromkeys(range(TAGS), int(before))
        async with stalled(dedicated_redis):
            lost = await sync._mark_tags(int(before) + 1, expected, 0)
        assert await marks(other) == [b"%d" % (int(before) + 1)]
        assert lost == set()

        sync._mark = int(before) + 1
        with capture_logs() as logs:
            await sync.sync()
            assert logs == []
            await other.flushall()
            await sync.sync()
        assert [(entry["event"], entry["tags"]) for entry in logs] == [("redis_lost_data", TAGS)]
