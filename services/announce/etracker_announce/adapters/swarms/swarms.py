"""The swarms in Redis: the port's implementation, the same for a single Redis and a cluster."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from etracker_announce.adapters.swarms import commands
from etracker_announce.adapters.swarms.batches import Batches
from etracker_announce.adapters.swarms.cluster import ClusterServer
from etracker_announce.adapters.swarms.commands import Commands, SwarmLimits
from etracker_announce.adapters.swarms.hand_outs import RedisHandOuts
from etracker_announce.adapters.swarms.server import Refusal, Server
from etracker_announce.adapters.swarms.single import SingleServer
from etracker_announce.adapters.swarms.stream import POLL_SECONDS, StreamWatch
from etracker_announce.adapters.swarms.sweeper import ROUND_SECONDS, Sweeper
from etracker_announce.adapters.swarms.writes import PROBE_SECONDS, WriteWatch
from etracker_announce.domain.swarm import Counts, Step, View
from etracker_announce.ports import SwarmsUnavailableError
from etracker_shared.agreements import redis_keys
from etracker_shared.language.identity import InfoHash
from etracker_shared.plumbing.background import Work, keep_running, stop
from etracker_shared.plumbing.settings import RedisSettings

NEW_HASHES_SECONDS = 3600


class RedisSwarms:
    """Swarms and fact stream in one Redis or a cluster. The content of a swarm is never cached here."""

    def __init__(
        self,
        server: Server,
        made: Commands,
        *,
        batches: Batches,
        sweeper: Sweeper,
        stream: StreamWatch,
        writes: WriteWatch,
    ) -> None:
        self._server = server
        self._writes = writes
        self._commands = made
        self._batches = batches
        self._sweeper = sweeper
        self._stream = stream
        self._tasks: list[asyncio.Task[None]] = []
        self.hand_outs = RedisHandOuts(server, made, batches)

    async def start(self) -> None:
        """Begin to connect and to sweep. This doesn't fail if Redis is down."""
        await self._server.start()
        self._tasks = [
            _repeating("sweeper", self._sweeper.take_turn, ROUND_SECONDS),
            _repeating("stream watch", self._stream.measure, POLL_SECONDS),
            _repeating("write watch", self._writes.check, PROBE_SECONDS),
        ]

    async def close(self) -> None:
        """End the background work and drop the connections."""
        await stop(*self._tasks)
        self._batches.close()
        await self._server.close()

    async def announce(self, step: Step, fact: bytes | None) -> View:
        """Take a step, see :class:`~etracker_announce.ports.Swarms`."""
        command = self._commands.announce(step)
        shard = self._server.shard_of(step.key_hash)
        if step.recipient is None:
            reply, _ = await self._batches.announce(command, shard, fact)
            return commands.parse_view(reply)
        reply, handed = await self._batches.announce(command, shard, fact, commands.read_handed(step.recipient))
        return commands.parse_view(reply)._replace(handed=commands.parse_handed(handed))

    async def scrape(self, info_hashes: Sequence[InfoHash]) -> Sequence[Counts]:
        """Return counts, see :class:`~etracker_announce.ports.Swarms`."""
        replies = await self._server.execute([commands.scrape(info_hash) for info_hash in info_hashes])
        for reply in replies:
            if isinstance(reply, Refusal):
                raise SwarmsUnavailableError(f"Redis returned no counts: {reply}") from reply
        return [commands.parse_counts(reply) for reply in replies]

    async def admit_new_hash(self, prefix: bytes, limit: int) -> bool:
        """Count a new infohash from an address prefix; return whether it is among the first ``limit`` of this hour.

        Raises:
            SwarmsUnavailableError: Redis can't be reached.
        """
        key = redis_keys.new_hashes(prefix)
        replies = await self._server.execute(
            [(b"SET", key, 0, b"EX", NEW_HASHES_SECONDS, b"NX"), (b"INCR", key)],
        )
        if isinstance(replies[1], Refusal):
            raise SwarmsUnavailableError(f"Redis didn't count the new infohash: {replies[1]}") from replies[1]
        return bool(replies[1] <= limit)

    async def sweep(self, now: int) -> int:
        """Sweep the swarms due at ``now`` (Unix seconds) within one second's budget; return the visits.

        Raises:
            SwarmsUnavailableError: Redis can't be reached.
        """
        return await self._sweeper.sweep(now)

    @property
    def stream_full(self) -> bool:
        """Whether only completed and stopped facts should go into the stream."""
        return self._stream.full

    @property
    def stream_bytes(self) -> int:
        """How much memory the stream took when last measured."""
        return self._stream.bytes

    @property
    def stream_bound(self) -> int:
        """Beyond how many bytes the stream is full."""
        return self._stream.bound

    async def measure_stream(self) -> None:
        """Measure the stream now instead of in a few seconds.

        Raises:
            SwarmsUnavailableError: Redis can't be reached.
        """
        await self._stream.measure()

    async def complaint(self) -> str | None:
        """Return what is wrong with Redis, see :class:`~etracker_announce.ports.Swarms`."""
        return await self._writes.complaint()


def _repeating(name: str, run: Callable[[], Awaitable[object]], seconds: float) -> asyncio.Task[None]:
    work = Work(name, run, (SwarmsUnavailableError,), restart_seconds=seconds, repeat_seconds=seconds)
    return asyncio.create_task(keep_running(work), name=name)


def connect_swarms(
    settings: RedisSettings,
    *,
    peers_per_key: int,
    peers_per_address: int,
    peer_lifetime_seconds: int,
    sweep_seconds: int,
    sweep_budget: int,
    stream_max_bytes: int,
    on_batch: Callable[[int], None],
    on_refused_writes: Callable[[bool], None],
) -> RedisSwarms:
    """Compose the swarms for one process; nothing connects before ``start``.

    ``sweep_seconds``: pause between two rounds over a swarm. ``sweep_budget``: visits per second, over all
    replicas. ``on_batch`` is called with the number of announces in each round trip; ``on_refused_writes`` with whether
    Redis refuses writes, each time this changes.
    """
    made = Commands(SwarmLimits(peers_per_key, peers_per_address, peer_lifetime_seconds, sweep_seconds))
    flavour = ClusterServer if settings.redis_cluster else SingleServer
    server: Server = flavour(settings, made.scripts)
    sweeper = Sweeper(server, made, sweep_budget)
    stream = StreamWatch(server, stream_max_bytes)
    batches = Batches(server, made, on_batch, lambda: stream.full)
    writes = WriteWatch(server, on_refused_writes)
    return RedisSwarms(server, made, batches=batches, sweeper=sweeper, stream=stream, writes=writes)
