"""The peers in all swarms, from the totals that announce keeps in Redis."""

from collections.abc import Iterable

from redis.asyncio import Redis, RedisCluster

from etracker_admin_api.ports import LiveCountsUnavailableError, LiveTotals
from etracker_shared.redis_connections import REDIS_UNAVAILABLE
from etracker_shared.redis_keys import ALL_TOTALS


class RedisLiveCounts:
    """Adds up the 256 totals, in one pipeline."""

    def __init__(self, redis: Redis | RedisCluster) -> None:
        self._redis = redis

    async def totals(self) -> LiveTotals:
        """See the port."""
        pipeline = self._redis.pipeline(transaction=False)
        for key in ALL_TOTALS:
            pipeline.hmget(key, ["s", "l", "w"])
        try:
            replies = await pipeline.execute()
        except REDIS_UNAVAILABLE as error:
            raise LiveCountsUnavailableError from error
        return LiveTotals(*(_add(reply[field] for reply in replies) for field in range(3)))


def _add(counts: Iterable[bytes | None]) -> int:
    """Add up; a total may dip below zero for a moment while swarms of a tag change hands."""
    return max(0, sum(int(count or 0) for count in counts))
