"""The 16 fact streams, on one Redis or spread over a cluster."""

import heapq
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ResponseError

from etracker_scoring.errors import StreamsUnavailableError
from etracker_scoring.worker.entries import START, Entry, Position, parse_position
from etracker_scoring.worker.pipelines import execute
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import UNKNOWN, Fact, NewerFactError, unpack_facts


@dataclass(frozen=True, slots=True)
class ShardState:
    """The state of one shard's stream.

    ``last``: the last id that it assigned, :data:`START` if there is no stream. ``oldest``: the id of its oldest entry.
    """

    entries: int
    oldest: Position | None
    last: Position


class _Shard:
    """Entries of a shard that were read but not handed out yet.

    ``has_more``: further entries may be in the stream. ``newer``: this version can't read the next entry.
    """

    def __init__(self, position: Position) -> None:
        self.handed_out = position
        self.waiting: deque[Entry] = deque()
        self.has_more = False
        self.newer: NewerFactError | None = None

    @property
    def read_to(self) -> Position:
        return self.waiting[-1].position if self.waiting else self.handed_out


class FactStreams:
    """Reads the streams by XRANGE rather than XREAD: with one key per command, a pipeline may span a cluster's slots.

    Entries that were read but not handed out yet are kept here. They are dropped if a position moves past entries that
    weren't handed out.
    """

    def __init__(self, client: Redis | RedisCluster) -> None:
        self._client = client
        self._shards: dict[int, _Shard] = {}

    @property
    def newer(self) -> Mapping[int, NewerFactError]:
        """The shards whose next entry only a newer version can read; all entries before it were handed out."""
        return {at: shard.newer for at, shard in self._shards.items() if shard.newer and not shard.waiting}

    async def read(self, positions: Mapping[int, Position], max_facts: int) -> Sequence[Entry]:
        """Return entries after the positions in the order in which they were written, with about ``max_facts`` facts.

        What one key's fact is worth may depend on another key's, in another shard: so a backlog is settled in the order
        in which it would have been settled at the time, whatever the size of a batch. The streams aren't changed.

        Raises:
            StreamsUnavailableError: Redis isn't available.
        """
        for at in self._shards.keys() - positions.keys():
            del self._shards[at]
        for at, position in positions.items():
            if at not in self._shards or self._shards[at].handed_out != position:
                self._shards[at] = _Shard(position)
        await self._fill(max_facts)
        return list(self._take(max_facts))

    @property
    def has_more(self) -> bool:
        """Whether there are entries that could be read at once."""
        return any(shard.waiting or shard.has_more for shard in self._shards.values())

    async def _fill(self, max_facts: int) -> None:
        """Read more entries until there are enough facts: an entry may contain one fact or a batch of them.

        It isn't known in advance how many shards are in use and how many facts an entry has.
        """
        entries = max(1, max_facts // max(1, len(self._shards)))
        readable = {at: shard for at, shard in self._shards.items() if not shard.newer}
        shards = [
            at
            for at, shard in readable.items()
            if not shard.waiting or (shard.has_more and len(shard.waiting) < entries)
        ]
        found = 0
        while shards and found < max_facts:
            commands = [
                ("XRANGE", redis_keys.facts(at), f"({self._shards[at].read_to}", "+", b"COUNT", entries)
                for at in shards
            ]
            replies = await execute(self._client, commands)
            further = []
            for at, reply in zip(shards, replies, strict=True):
                found += self._keep(at, reply)
                shard = self._shards[at]
                shard.has_more = len(reply) == entries and not shard.newer
                if shard.has_more:
                    further.append(at)
            shards = further

    def _keep(self, at: int, reply: Sequence[tuple[bytes, Mapping[bytes, bytes] | None]]) -> int:
        """Keep a shard's entries up to one of a newer version; return how many facts they contain."""
        shard, found = self._shards[at], 0
        for item in reply:
            try:
                entry = _entry(at, *item)
            except NewerFactError as error:
                shard.newer = error
                break
            shard.waiting.append(entry)
            found += len(entry.facts or ()) or 1
        return found

    def _take(self, max_facts: int) -> Iterator[Entry]:
        """Take the oldest entries, up to where another one that wasn't read yet may be older than those at hand."""
        oldest = [(shard.waiting[0].position, at) for at, shard in self._shards.items() if shard.waiting]
        heapq.heapify(oldest)
        taken = 0
        while oldest and taken < max_facts:
            shard = self._shards[oldest[0][1]]
            entry = shard.waiting.popleft()
            shard.handed_out = entry.position
            taken += len(entry.facts or ()) or 1
            yield entry
            if shard.waiting:
                heapq.heapreplace(oldest, (shard.waiting[0].position, entry.shard))
            elif shard.has_more:
                return
            else:
                heapq.heappop(oldest)

    async def trim(self, positions: Mapping[int, Position]) -> None:
        """Delete the entries up to and including the positions.

        Raises:
            StreamsUnavailableError: Redis isn't available.
        """
        kept_from = {shard: Position(at.milliseconds, at.sequence + 1) for shard, at in positions.items()}
        commands = [("XTRIM", redis_keys.facts(shard), "MINID", str(first)) for shard, first in kept_from.items()]
        await execute(self._client, commands)

    async def inspect(self, shards: Collection[int]) -> Mapping[int, ShardState]:
        """Return the states of these shards.

        Raises:
            StreamsUnavailableError: Redis isn't available.
        """
        commands = [("XINFO STREAM", redis_keys.facts(shard)) for shard in shards]
        replies = await execute(self._client, commands, raise_on_error=False)
        return {shard: _state(reply) for shard, reply in zip(shards, replies, strict=True)}


def _entry(shard: int, entry_id: bytes, fields: Mapping[bytes, bytes] | None) -> Entry:
    position = parse_position(entry_id)
    packed = (fields or {}).get(redis_keys.ENTRY_FIELD, b"")
    try:
        facts = [_believable(fact, position) for fact in unpack_facts(packed)]
    except NewerFactError:
        raise
    except ValueError:
        return Entry(shard, position, None, packed)
    return Entry(shard, position, facts or None, packed)


def _believable(fact: Fact, position: Position) -> Fact:
    """Refuse facts that no announce could have written, and correct times that are ahead of Redis' clock.

    A fact from the future would make every later one of its session look stale.

    Raises:
        ValueError: a counter is negative.
    """
    if min(fact.uploaded, fact.downloaded, fact.left, fact.corrupt, fact.redundant) < UNKNOWN:
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
