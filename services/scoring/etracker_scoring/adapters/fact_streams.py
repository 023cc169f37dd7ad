"""The 16 fact streams, on one Redis or spread over a cluster."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ResponseError

from etracker_scoring.adapters.pipelines import execute
from etracker_scoring.ports import START, Entry, Position, ShardState, StreamsUnavailableError
from etracker_shared import redis_keys
from etracker_shared.facts import ENTRY_FIELD, SHARDS, UNKNOWN_LEFT, Fact, unpack_facts


class RedisFactStreams:
    """Reads with XRANGE rather than XREAD: one key a command, so that a pipeline may span a cluster's slots.

    Entries that were read and not yet handed out wait here; they stay valid as long as positions move
    only over entries that were handed out, and are dropped otherwise.
    """

    def __init__(self, client: Redis | RedisCluster) -> None:
        self._client = client
        self._waiting: dict[int, deque[Entry]] = {shard: deque() for shard in range(SHARDS)}
        self._handed_out: dict[int, Position] = {}

    async def read(self, positions: Mapping[int, Position], max_facts: int) -> Sequence[Entry]:
        """See :class:`~etracker_scoring.ports.FactStreams`."""
        for shard, position in positions.items():
            if self._handed_out.get(shard) != position:
                self._waiting[shard].clear()
                self._handed_out[shard] = position
        await self._fill([shard for shard in positions if not self._waiting[shard]], max_facts)
        return list(self._take(max_facts))

    async def _fill(self, shards: Sequence[int], max_facts: int) -> None:
        """Read on where there is more, until there are facts enough: an entry may hold one or a batch of them.

        How many shards are in use, and how full entries are, nobody knows beforehand.
        """
        entries = max(1, max_facts // SHARDS)
        found = 0
        while shards and found < max_facts:
            commands = [
                ("XRANGE", redis_keys.facts(at), f"({self._read_to(at)}", "+", b"COUNT", entries) for at in shards
            ]
            replies = await execute(self._client, commands)
            for shard, reply in zip(shards, replies, strict=True):
                read = [_entry(shard, *item) for item in reply]
                found += sum(len(entry.facts or ()) or 1 for entry in read)
                self._waiting[shard].extend(read)
            shards = [shard for shard, reply in zip(shards, replies, strict=True) if len(reply) == entries]

    def _read_to(self, shard: int) -> Position:
        waiting = self._waiting[shard]
        return waiting[-1].position if waiting else self._handed_out[shard]

    def _take(self, max_facts: int) -> Iterator[Entry]:
        """Take entries in turn from every shard that has some."""
        taken = 0
        while taken < max_facts:
            waiting = [queue for queue in self._waiting.values() if queue]
            if not waiting:
                return
            for queue in waiting:
                entry = queue.popleft()
                self._handed_out[entry.shard] = entry.position
                taken += len(entry.facts or ()) or 1
                yield entry

    async def trim(self, positions: Mapping[int, Position]) -> None:
        """See :class:`~etracker_scoring.ports.FactStreams`."""
        behind = {shard: Position(at.milliseconds, at.sequence + 1) for shard, at in positions.items()}
        await execute(self._client, [("XTRIM", redis_keys.facts(at), "MINID", str(behind[at])) for at in behind])

    async def inspect(self) -> Mapping[int, ShardState]:
        """See :class:`~etracker_scoring.ports.FactStreams`."""
        commands = [("XINFO STREAM", redis_keys.facts(shard)) for shard in range(SHARDS)]
        replies = await execute(self._client, commands, raise_on_error=False)
        return {shard: _state(reply) for shard, reply in enumerate(replies)}


def parse_position(text: bytes | str) -> Position:
    """Parse a stream id, for example ``1700000000000-3``."""
    milliseconds, _, sequence = (text.decode() if isinstance(text, bytes) else text).partition("-")
    return Position(int(milliseconds), int(sequence))


def _entry(shard: int, entry_id: bytes, fields: Mapping[bytes, bytes] | None) -> Entry:
    position = parse_position(entry_id)
    packed = (fields or {}).get(ENTRY_FIELD, b"")
    try:
        facts = [_believable(fact, position) for fact in unpack_facts(packed)]
    except ValueError:
        return Entry(shard, position, None, packed)
    return Entry(shard, position, facts or None, packed)


def _believable(fact: Fact, position: Position) -> Fact:
    """Check what no announce could have written, and hold back a clock that runs ahead of Redis'.

    A fact from the future would make every later one of its session look stale.

    Raises:
        ValueError: a counter is negative.
    """
    if fact.uploaded < 0 or fact.downloaded < 0 or fact.left < UNKNOWN_LEFT or fact.corrupt < 0 or fact.redundant < 0:
        raise ValueError("a counter is negative")
    if fact.at_ms > position.milliseconds:
        return fact._replace(at_ms=position.milliseconds)
    return fact


def _state(reply: Any) -> ShardState:
    if isinstance(reply, ResponseError) and "no such key" in str(reply):
        return ShardState(0, None, START)
    if isinstance(reply, Exception):
        raise StreamsUnavailableError(str(reply))
    first = reply["first-entry"]
    oldest = parse_position(first[0]) if first else None
    return ShardState(reply["length"], oldest, parse_position(reply["last-generated-id"]))
