"""Watches the memory of the fact stream: beyond a bound, only completed and stopped facts are added."""

import structlog

from etracker_announce.adapters.swarms.server import Server
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import SHARDS

POLL_SECONDS = 5.0
SHARE_OF_MEMORY = 4
"""The stream takes at most a quarter of Redis' memory: facts that wait for Postgres must not crowd out peers."""

_log = structlog.get_logger(__name__)


class StreamWatch:
    """Measures now and then how much memory all shards of the stream take together."""

    def __init__(self, server: Server, max_bytes: int) -> None:
        self._server = server
        self._max_bytes = max_bytes
        self.bound = max_bytes
        self.bytes = 0

    @property
    def full(self) -> bool:
        """Whether the stream was beyond its bound when last measured."""
        return self.bytes > self.bound

    async def measure(self) -> None:
        """Measure the stream now.

        Raises:
            SwarmsUnavailableError: Redis can't be reached.
        """
        was_full = self.full
        commands = [(b"MEMORY", b"USAGE", redis_keys.facts(shard)) for shard in range(SHARDS)]
        sizes = await self._server.execute(commands)
        self.bytes = sum(size for size in sizes if isinstance(size, int))
        max_memory = await self._server.max_memory()
        self.bound = min(self._max_bytes, max_memory // SHARE_OF_MEMORY or self._max_bytes)
        if self.full and not was_full:
            _log.error("the fact stream is past its bound, regular facts are dropped", bytes=self.bytes)
