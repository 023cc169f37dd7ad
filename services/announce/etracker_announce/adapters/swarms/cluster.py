"""A Redis Cluster, accessed through redis-py, which knows the slots, follows MOVED and survives a failover."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, TypeVar, cast

from redis.asyncio import RedisCluster
from redis.exceptions import NoScriptError, OutOfMemoryError, RedisClusterException, RedisError, ResponseError

from etracker_announce.adapters.swarms.commands import Command
from etracker_announce.adapters.swarms.server import Refusal, Reply
from etracker_announce.ports import SwarmsUnavailableError
from etracker_shared.agreements.facts import shard_of
from etracker_shared.plumbing.redis_connections import connect_redis
from etracker_shared.plumbing.redis_scripts import Script
from etracker_shared.plumbing.settings import RedisSettings

ANSWER_SECONDS = 2.0

AnswerT = TypeVar("AnswerT")


class ClusterServer:
    """A :class:`~etracker_announce.adapters.swarms.server.Server` that is a cluster."""

    def __init__(self, settings: RedisSettings, scripts: Iterable[Script]) -> None:
        self._settings = settings
        self._scripts = tuple(scripts)
        self._cluster: RedisCluster | None = None
        self._running: set[asyncio.Future[Any]] = set()

    async def start(self) -> None:
        """See :class:`~etracker_announce.adapters.swarms.server.Server`."""
        self._cluster = cast("RedisCluster", connect_redis(self._settings, timeout_seconds=ANSWER_SECONDS))

    async def close(self) -> None:
        """See :class:`~etracker_announce.adapters.swarms.server.Server`."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._cluster is not None:
            await self._cluster.aclose()

    def shard_of(self, key_hash: bytes) -> int:
        """See :class:`~etracker_announce.adapters.swarms.server.Server`."""
        return shard_of(key_hash)

    async def max_memory(self) -> int:
        """See :class:`~etracker_announce.adapters.swarms.server.Server`."""
        nodes = await self._answer(self._client().info("memory", target_nodes=RedisCluster.PRIMARIES))
        limits = [int(node.get("maxmemory", 0)) for node in ([nodes] if "maxmemory" in nodes else nodes.values())]
        return sum(limits) if all(limits) else 0

    async def execute(self, commands: Sequence[Command]) -> list[Reply]:
        """See :class:`~etracker_announce.adapters.swarms.server.Server`."""
        pipeline = self._client().pipeline()
        for command in commands:
            pipeline.execute_command(*_as_redis_py_names(command))
        replies = await self._answer(pipeline.execute(raise_on_error=False))
        return [_reply(reply) for reply in replies]

    async def load_scripts(self) -> None:
        """See :class:`~etracker_announce.adapters.swarms.server.Server`."""
        for script in self._scripts:
            await self._answer(self._client().script_load(script.source.decode()))

    def _client(self) -> RedisCluster:
        if self._cluster is None:
            raise SwarmsUnavailableError("There is no connection to Redis.")
        return self._cluster

    async def _answer(self, answer: Awaitable[AnswerT]) -> AnswerT:
        # Shielded: cancelling redis-py between a command and its reply would leave the reply to the next command.
        task = asyncio.ensure_future(answer)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await asyncio.shield(task)
        except TimeoutError:
            raise SwarmsUnavailableError(f"Redis did not answer within {ANSWER_SECONDS} s.") from None
        except (RedisError, RedisClusterException, OSError) as error:
            raise SwarmsUnavailableError(f"Redis can't be reached: {error}") from error


def _as_redis_py_names(command: Command) -> tuple[bytes | int | str, ...]:
    # To redis-py, MEMORY USAGE is a single name, by which it finds out where the command's key is.
    words = 2 if command[0] == b"MEMORY" else 1
    name = b" ".join(word for word in command[:words] if isinstance(word, bytes))
    return (name.decode(), *command[words:])


def _reply(reply: Reply) -> Reply:
    if isinstance(reply, NoScriptError):
        return Refusal(f"NOSCRIPT {reply}")
    if isinstance(reply, OutOfMemoryError):
        return Refusal(f"OOM {reply}")
    if isinstance(reply, ResponseError):
        return Refusal(str(reply))
    if isinstance(reply, Exception):
        return Refusal(f"UNAVAILABLE {reply}")
    return reply
