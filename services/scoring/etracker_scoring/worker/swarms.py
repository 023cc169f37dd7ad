"""The swarms' counts in Redis, on one server or spread over a cluster."""

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from redis.asyncio import Redis, RedisCluster

from etracker_scoring.worker.pipelines import execute
from etracker_scoring.worker.takings import RedisTakings
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.counts import SwarmCounts, unpack_counts, unpack_table_sizes
from etracker_shared.agreements.peer_records import LAYOUT, PeerRecord, unpack_records
from etracker_shared.language.identity import InfoHash
from etracker_shared.plumbing.redis_scripts import Script

_MARK = Script(__package__, "mark.lua")
_PUBLISH = Script(__package__, "publish_snatches.lua")
_COUNT_TWICE = Script(__package__, "count_twice.lua")
_RECORDS_AT_ONCE = 5000


class Snatches(NamedTuple):
    """How often a torrent was snatched, under one of its infohashes."""

    info_hash: InfoHash
    snatches: int


class Twice(NamedTuple):
    """How many peers of a hybrid torrent are counted in both of its swarms."""

    seeders: int
    leechers: int


NOBODY = Twice(0, 0)


class RedisSwarms:
    """The counts and snatches of swarms. Every method is one pipeline and may raise StreamsUnavailableError.

    A *mark* is the value that :meth:`mark` stores for a tag (the first byte of an infohash). If it is missing or
    differs, Redis has lost data since.
    """

    def __init__(self, client: Redis | RedisCluster) -> None:
        self._client = client
        self.takings = RedisTakings(client)

    async def changed(self, since: float) -> tuple[Mapping[int, int | None], Sequence[InfoHash]]:
        """Return every tag's mark, and the swarms whose counts have changed since a given time (Unix seconds)."""
        marks = [("GET", key) for key in redis_keys.ALL_SYNCED]
        changes = [("ZRANGEBYSCORE", key, since, "+inf") for key in redis_keys.ALL_CHANGED]
        replies = await execute(self._client, [*marks, *changes])
        return _parse_marks(replies[: len(marks)]), list(chain.from_iterable(replies[len(marks) :]))

    async def existing(self, tag: int) -> Sequence[InfoHash]:
        """Return all swarms of a tag."""
        (swarms,) = await execute(self._client, [("ZRANGE", redis_keys.ALL_DUE[tag], 0, -1)])
        return list(swarms)

    async def counts(self, info_hashes: Sequence[InfoHash]) -> Sequence[SwarmCounts]:
        """Return the counts of each swarm, zeros for a swarm that doesn't exist."""
        commands = [("HGET", redis_keys.members(info_hash), redis_keys.COUNTS_FIELD) for info_hash in info_hashes]
        return [unpack_counts(value) for value in await execute(self._client, commands)]

    async def records(self, info_hash: InfoHash) -> AsyncIterator[Sequence[PeerRecord]]:
        """Yield all records of a swarm in parts. Peers that come and go in the meantime may be missing or repeated."""
        (value,) = await execute(self._client, [("HGET", redis_keys.members(info_hash), redis_keys.COUNTS_FIELD)])
        tables = (redis_keys.seeders(info_hash), redis_keys.leechers(info_hash))
        for key, size in zip(tables, unpack_table_sizes(value), strict=True):
            for start in range(0, size, _RECORDS_AT_ONCE):
                end = min(size, start + _RECORDS_AT_ONCE)
                command = ("GETRANGE", key, start * LAYOUT.size, end * LAYOUT.size - 1)
                (part,) = await execute(self._client, [command])
                yield unpack_records(part)

    async def noted_twice(self, info_hashes: Sequence[InfoHash]) -> Sequence[InfoHash]:
        """Return the torrents among these for which a number of peers counted twice is noted."""
        (noted,) = await execute(self._client, [("HMGET", redis_keys.TWICE, *info_hashes)])
        return [info_hash for info_hash, value in zip(info_hashes, noted, strict=True) if value]

    async def note_twice(self, torrents: Mapping[InfoHash, Twice]) -> None:
        """Note, for each torrent, how many of its peers count twice in the swarms' totals."""
        await execute(
            self._client,
            [
                ("EVAL", _COUNT_TWICE.source, 1, redis_keys.TWICE, info_hash, twice.seeders, twice.leechers)
                for info_hash, twice in torrents.items()
            ],
        )

    async def mark(self, moment: int, forget_before: int) -> Mapping[int, int | None]:
        """Mark every tag with a time, and forget changes before ``forget_before``; return the previous marks."""
        marks = [("EVAL", _MARK.source, 1, key, moment) for key in redis_keys.ALL_SYNCED]
        forget = [("ZREMRANGEBYSCORE", key, "-inf", f"({forget_before}") for key in redis_keys.ALL_CHANGED]
        replies = await execute(self._client, [*marks, *forget])
        return _parse_marks(replies[: len(marks)])

    async def publish(self, snatches: Sequence[Snatches]) -> None:
        """Write the numbers of snatches to those swarms that exist; the number in a swarm never falls."""
        await execute(
            self._client,
            [("EVAL", _PUBLISH.source, 1, redis_keys.members(info_hash), number) for info_hash, number in snatches],
        )


def _parse_marks(replies: Sequence[bytes | None]) -> dict[int, int | None]:
    return {tag: int(mark) if mark else None for tag, mark in enumerate(replies)}
