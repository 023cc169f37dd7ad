"""Redis pipelines that can be cancelled the way asyncio promises."""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis, RedisCluster

from etracker_scoring.errors import StreamsUnavailableError
from etracker_shared.plumbing.background import stop
from etracker_shared.plumbing.redis_connections import REDIS_UNAVAILABLE


async def execute(
    client: Redis | RedisCluster, commands: Sequence[tuple[Any, ...]], *, raise_on_error: bool = True
) -> list[Any]:
    """Send commands in one pipeline and return their replies; on a cluster, every node gets its own commands.

    The pipeline runs in a separate task: redis-py 8.1 swallows a cancellation of a running pipeline, and the worker
    wouldn't stop. A cancellation returns when that task has ended: redis-py retries what loses its connection, so after
    the client has been closed, it would open a connection that nobody closes, and send the commands again.

    Raises:
        StreamsUnavailableError: Redis isn't available, or refuses a command (unless ``raise_on_error`` is off).
    """
    if not commands:
        return []
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    running = asyncio.ensure_future(pipeline.execute(raise_on_error=raise_on_error))
    running.add_done_callback(_retrieve)
    try:
        return await asyncio.shield(running)
    except REDIS_UNAVAILABLE as error:
        raise StreamsUnavailableError(f"{type(error).__name__}: {error}") from error
    except asyncio.CancelledError:
        await stop(running)
        raise


def _retrieve(done: "asyncio.Future[Any]") -> None:
    """Retrieve the result, which nothing else does after a cancellation."""
    if not done.cancelled():
        done.exception()
