"""Which peers a recipient's block list contains."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from redis.asyncio import Redis, RedisCluster

from etracker_admin_api.database import Database
from etracker_shared.agreements.anomalies import DetectionMode
from etracker_shared.language.addresses import Address


class HandedPeer(NamedTuple):
    """A peer that the tracker gave to a recipient, and when it did so last."""

    address: Address
    port: int
    given: datetime


class BlockListStore:
    """The block lists, from what announce gave to whom in Redis, and from what is confirmed in Postgres."""

    def __init__(self, redis: Redis | RedisCluster, database: Database, mode: DetectionMode) -> None:
        self._redis = redis
        self._database = database
        self._mode = mode

    async def find(self, token: str) -> Sequence[HandedPeer]:  # noqa: ARG002 - until announce gives out tokens
        """Return the peers on a recipient's list; none if the token is wrong or has expired.

        Raises:
            RedisUnavailableError: Redis is down or too slow.
            PostgresUnavailableError: Postgres is down or too slow.
        """
        return []
