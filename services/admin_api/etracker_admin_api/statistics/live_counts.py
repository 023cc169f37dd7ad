"""The number of peers in all swarms, from the totals that announce keeps in Redis.

Peers in both swarms of a hybrid torrent count once: the scoring worker notes how many there are.
"""

from collections.abc import Iterable
from typing import NamedTuple

from redis.asyncio import Redis, RedisCluster

from etracker_admin_api.errors import RedisUnavailableError
from etracker_shared.agreements import redis_keys
from etracker_shared.plumbing.redis_connections import REDIS_UNAVAILABLE


class LiveTotals(NamedTuple):
    """Peers in all swarms, and the number of swarms that have any."""

    seeders: int
    leechers: int
    swarms: int


class LiveCounts:
    """Adds up the 256 totals in one pipeline."""

    def __init__(self, redis: Redis | RedisCluster) -> None:
        self._redis = redis

    async def totals(self) -> LiveTotals:
        """Return the totals.

        Raises:
            RedisUnavailableError: Redis is down or too slow.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for key in redis_keys.ALL_TOTALS:
            pipeline.hmget(key, [redis_keys.SEEDERS_FIELD, redis_keys.LEECHERS_FIELD, redis_keys.SWARMS_FIELD])
        pipeline.hmget(redis_keys.TWICE, [redis_keys.SEEDERS_FIELD, redis_keys.LEECHERS_FIELD])
        try:
            *replies, twice = await pipeline.execute()
        except REDIS_UNAVAILABLE as error:
            raise RedisUnavailableError from error
        seeders, leechers, swarms = (_add(reply[field] for reply in replies) for field in range(3))
        seeders_twice, leechers_twice = (_add([field]) for field in twice)
        return LiveTotals(max(0, seeders - seeders_twice), max(0, leechers - leechers_twice), swarms)


def _add(counts: Iterable[bytes | None]) -> int:
    """Add up counts. The sum may be negative for a moment, while swarms move between replicas, and is 0 then."""
    return max(0, sum(int(count or 0) for count in counts))
