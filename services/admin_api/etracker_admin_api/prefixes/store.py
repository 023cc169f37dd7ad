"""What address prefixes took, as the scoring worker counts it in Redis."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from redis.asyncio import Redis, RedisCluster

from etracker_admin_api.errors import RedisUnavailableError
from etracker_admin_api.http.cursors import decode_cursor
from etracker_admin_api.http.paging import cut_page
from etracker_admin_api.prefixes.models import Hour, PrefixList, PrefixTaking
from etracker_shared.agreements import redis_keys
from etracker_shared.plumbing.redis_connections import REDIS_UNAVAILABLE


class _Row(NamedTuple):
    """A prefix. ``sort_key``: torrents. ``id``: the number whose bytes are the name."""

    sort_key: int
    id: int
    lists: int


class PrefixStore:
    """Pages of prefixes. There are so few per hour that each page is cut from all of them."""

    def __init__(self, redis: Redis | RedisCluster) -> None:
        self._redis = redis

    async def page(self, hour: Hour, cursor: str | None, limit: int) -> PrefixList:
        """Return a page of the prefixes of an hour, most torrents first.

        Raises:
            CursorError: the cursor is invalid.
            RedisUnavailableError: Redis is down or too slow.
        """
        after = decode_cursor(cursor, hour, int) if cursor else None
        number = int(time.time() // 3600) - (hour is Hour.PREVIOUS)
        rows = sorted(await self._read(number), reverse=True)
        following = [row for row in rows if after is None or row[:2] < after]
        page, further = cut_page(following, limit, hour)
        return PrefixList(
            items=[_describe(row) for row in page], next=further, began=datetime.fromtimestamp(3600 * number, UTC)
        )

    async def _read(self, hour: int) -> Sequence[_Row]:
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zrange(redis_keys.prefixes_ranked(hour), 0, -1, withscores=True)
        pipeline.hgetall(redis_keys.lists_taken(hour))
        try:
            ranked, lists = await pipeline.execute()
        except REDIS_UNAVAILABLE as error:
            raise RedisUnavailableError from error
        return [_Row(int(torrents), int.from_bytes(name, "big"), int(lists.get(name, 0))) for name, torrents in ranked]


def _describe(row: _Row) -> PrefixTaking:
    name = row.id.to_bytes(redis_keys.PREFIX_NAME_BYTES, "big").hex()
    return PrefixTaking(prefix=name, torrents=row.sort_key, lists=row.lists)
