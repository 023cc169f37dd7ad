"""The peers of a swarm, from announce's tables in Redis: a bounded part of them, whatever the swarm's size."""

import struct
from collections.abc import Mapping, Sequence

from redis.asyncio import Redis, RedisCluster
from sqlalchemy import LargeBinary, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from etracker_admin_api.adapters.database import Database
from etracker_admin_api.domain.swarm_peers import SwarmPart
from etracker_admin_api.ports import LiveCountsUnavailableError
from etracker_shared import redis_keys
from etracker_shared.counts import unpack_counts
from etracker_shared.identity import InfoHash
from etracker_shared.peer_records import LAYOUT, unpack_records
from etracker_shared.redis_connections import REDIS_UNAVAILABLE

_RECORDS = struct.Struct("<II")
"""How many records each table holds; what lies behind them is slack."""

# An identity is the first half of a key hash: a range of the index, and practically one key.
_KEY_IDS = text(
    """
SELECT identity, id FROM unnest(:identities) identity
JOIN peers ON key_hash BETWEEN identity || '\\x0000000000000000'::bytea AND identity || '\\xffffffffffffffff'::bytea
""".replace("::", r"\:\:")
).bindparams(bindparam("identities", type_=ARRAY(LargeBinary)))


class RedisSwarmPeers:
    """See :class:`~etracker_admin_api.ports.SwarmPeers`."""

    def __init__(self, redis: Redis | RedisCluster, database: Database) -> None:
        self._redis = redis
        self._database = database

    async def part(self, info_hash: InfoHash, limit: int) -> SwarmPart:
        """See the port."""
        end = limit * LAYOUT.size - 1
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hget(redis_keys.members(info_hash), redis_keys.COUNTS_FIELD)
        pipeline.getrange(redis_keys.seeders(info_hash), 0, end)
        pipeline.getrange(redis_keys.leechers(info_hash), 0, end)
        try:
            counts, seeders, leechers = await pipeline.execute()
        except REDIS_UNAVAILABLE as error:
            raise LiveCountsUnavailableError from error
        in_seeders, in_leechers = _RECORDS.unpack_from(counts) if counts else (0, 0)
        share = max(limit - min(in_leechers, limit // 2), 0)
        first = unpack_records(seeders)[: min(in_seeders, share)]
        rest = unpack_records(leechers)[: min(in_leechers, limit - len(first))]
        told = unpack_counts(counts)
        truncated = len(first) + len(rest) < in_seeders + in_leechers
        return SwarmPart([*first, *rest], told.seeders, told.leechers, truncated)

    async def key_ids(self, identities: Sequence[bytes]) -> Mapping[bytes, int]:
        """See the port."""
        if not identities:
            return {}
        async with self._database.transaction() as connection:
            rows = await connection.execute(_KEY_IDS, {"identities": list(identities)})
            return {bytes(identity): key_id for identity, key_id in rows}
