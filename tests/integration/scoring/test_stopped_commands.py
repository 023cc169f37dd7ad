"""What a worker has sent to Redis ends with it. The kind: a command repeated after whoever sent it has gone."""

import asyncio
import shutil
from pathlib import Path

import pytest
from redis.asyncio import Redis, RedisCluster

from etracker_scoring.worker.pipelines import execute
from etracker_shared.plumbing.redis_connections import connect_redis
from tests.support.redis import RedisServer
from tests.support.redis_cluster import running_redis_cluster
from tests.support.waiting import eventually

WAITING = ("BLPOP", "a list that stays empty", 0)


async def stop_while_it_waits(client: Redis | RedisCluster, other: Redis | RedisCluster) -> None:
    """Cancel a pipeline that waits for its reply."""

    async def is_waiting() -> bool:
        return await waiting(other) == 1

    sent = asyncio.create_task(execute(client, [WAITING]))
    await eventually(is_waiting, "the pipeline waits for its reply")
    sent.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sent
    assert asyncio.all_tasks() == {asyncio.current_task()}, "something is still being sent"


async def waiting(client: Redis | RedisCluster) -> int:
    """Count the connections, on all nodes, that wait for an element of a list."""
    if isinstance(client, Redis):
        nodes = [await client.client_list()]
    else:
        nodes = [await node.execute_command("CLIENT LIST") for node in client.get_primaries()]
    return sum(one["cmd"] == "blpop" for clients in nodes for one in clients)


async def test_a_stopped_pipeline_leaves_no_connection(dedicated_redis: RedisServer) -> None:
    settings = dedicated_redis.settings()
    async with Redis.from_url(settings.redis_url) as other:

        async def is_alone() -> bool:
            return len(await other.client_list()) == 1

        client = connect_redis(settings, timeout_seconds=5.0)
        await stop_while_it_waits(client, other)
        await client.aclose()
        await eventually(is_alone, "the client has closed what it opened")


async def test_after_a_stopped_pipeline_the_next_gets_its_own_replies(dedicated_redis: RedisServer) -> None:
    settings = dedicated_redis.settings()
    async with Redis.from_url(settings.redis_url) as other, connect_redis(settings, timeout_seconds=5.0) as client:
        await stop_while_it_waits(client, other)
        await other.rpush(WAITING[1], "late")
        assert await execute(client, [("ECHO", "hello"), ("LLEN", WAITING[1])]) == [b"hello", 1]


async def test_after_a_stopped_pipeline_the_next_gets_its_own_replies_from_a_cluster() -> None:
    program = shutil.which("redis-server")
    assert program, "redis-server is missing: make install-system"
    with running_redis_cluster(Path(program)) as cluster:
        settings = cluster.settings()
        async with (
            connect_redis(settings, timeout_seconds=5.0) as other,
            connect_redis(settings, timeout_seconds=5.0) as client,
        ):
            await stop_while_it_waits(client, other)
            await other.rpush(WAITING[1], "late")
            assert await execute(client, [("TYPE", WAITING[1]), ("LLEN", WAITING[1])]) == [b"list", 1]
