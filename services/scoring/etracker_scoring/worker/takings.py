"""What address prefixes take, counted in Redis: how many torrents and lists within an hour.

Whoever takes lists of many torrents within an hour enumerates the tracker's swarms. Only keyed hashes of prefixes are
stored, of a bounded number of prefixes per hour.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from redis.asyncio import Redis, RedisCluster

from etracker_scoring.worker.pipelines import execute
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import Event, Fact
from etracker_shared.language.identity import InfoHash
from etracker_shared.plumbing.redis_scripts import Script

MOST_PREFIXES = 1000
"""Per hour. Each needs 12 KiB of memory at most, for its HyperLogLog, and a few hundred bytes if it takes little."""

_AT_ONCE = 100
_TORRENTS_AT_ONCE = 1000
_MOST_NAMES = 65_536
_COUNT = Script(__package__, "count_takings.lua")


@dataclass(slots=True)
class Taking:
    """What one prefix took. ``lists``: answers that may have listed peers, repeated answers included."""

    lists: int = 0
    torrents: set[InfoHash] = field(default_factory=set)


Takings = dict[int, dict[bytes, Taking]]
"""By hour (Unix seconds / 3600) and address prefix."""


def add_up(facts: Iterable[Fact], takings: Takings) -> None:
    """Add what the announces of these facts took, whether or not the facts count for anything else."""
    for fact in facts:
        if fact.event == Event.STOPPED:  # its answer lists nobody
            continue
        hour = fact.at_ms // 3_600_000
        prefixes = takings.get(hour)
        if prefixes is None:
            prefixes = takings[hour] = {}
        taking = prefixes.get(fact.prefix)
        if taking is None:
            taking = prefixes[fact.prefix] = Taking()
        taking.lists += 1 + fact.suppressed
        taking.torrents.add(fact.info_hash)


class Names:
    """The names under which prefixes are stored: keyed hashes, which only the deployment's secret could reproduce."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._known: dict[bytes, bytes] = {}

    def of(self, prefix: bytes) -> bytes:
        """Return the name of a prefix."""
        name = self._known.get(prefix)
        if name is None:
            if len(self._known) >= _MOST_NAMES:
                self._known.clear()
            size = redis_keys.PREFIX_NAME_BYTES
            name = self._known[prefix] = blake2b(prefix, key=self._secret, digest_size=size, person=b"takings").digest()
        return name


class RedisTakings:
    """The counts in Redis. Counting is neither repeated nor undone when it fails, so nothing is counted twice."""

    def __init__(self, client: Redis | RedisCluster) -> None:
        self._client = client

    async def add(self, hour: int, takings: Mapping[bytes, Taking], now: float) -> None:
        """Add what prefixes, by their names, took in an hour. ``now``: Unix seconds.

        Raises:
            StreamsUnavailableError: Redis isn't available, or refuses writes.
        """
        progress = min(max(now / 3600 - hour, 0.0), 0.999)
        calls = [_call(hour, part, progress) for part in _parts(takings)]
        replies = await execute(self._client, calls)
        left_out = {redis_keys.torrents_taken(hour, name) for names in replies for name in names}
        if left_out:
            await execute(self._client, [("UNLINK", *left_out)])

    async def most(self, hour: int) -> int:
        """Return the largest number of torrents that a prefix took in an hour.

        Raises:
            StreamsUnavailableError: Redis isn't available.
        """
        command = ("ZREVRANGE", redis_keys.prefixes_ranked(hour), 0, 0, "WITHSCORES")
        (first,) = await execute(self._client, [command])
        return int(first[0][1]) if first else 0


def _parts(takings: Mapping[bytes, Taking]) -> Iterator[Sequence[tuple[bytes, int, Sequence[bytes]]]]:
    """Divide the work, so that no call keeps Redis from announces for long."""
    part: list[tuple[bytes, int, Sequence[bytes]]] = []
    size = 0
    for name, taking in takings.items():
        torrents, lists = list(taking.torrents), taking.lists
        for start in range(0, len(torrents), _TORRENTS_AT_ONCE):
            some = torrents[start : start + _TORRENTS_AT_ONCE]
            part.append((name, lists, some))
            size, lists = size + len(some), 0
            if len(part) >= _AT_ONCE or size >= _TORRENTS_AT_ONCE:
                yield part
                part, size = [], 0
    if part:
        yield part


def _call(hour: int, part: Sequence[tuple[bytes, int, Sequence[bytes]]], progress: float) -> tuple[Any, ...]:
    keys = [redis_keys.prefixes_ranked(hour), redis_keys.lists_taken(hour)]
    keys += [redis_keys.torrents_taken(hour, name) for name, _, _ in part]
    arguments: list[Any] = [MOST_PREFIXES, redis_keys.takings_expire_at(hour), progress]
    for name, lists, torrents in part:
        arguments += [name, lists, len(torrents), *torrents]
    return "EVAL", _COUNT.source, len(keys), *keys, *arguments
