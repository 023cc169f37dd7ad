"""The peers of a swarm, from announce's tables in Redis: a limited number, whatever the size of the swarm."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis, RedisCluster
from sqlalchemy import LargeBinary, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from etracker_admin_api.actors import Actor
from etracker_admin_api.audit import record_read
from etracker_admin_api.database import Database
from etracker_admin_api.errors import RedisUnavailableError
from etracker_admin_api.queries import torrent_id
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.counts import unpack_counts
from etracker_shared.agreements.peer_records import LAYOUT, PeerRecord, unpack_records
from etracker_shared.language.identity import InfoHash
from etracker_shared.plumbing.redis_connections import REDIS_UNAVAILABLE

_RECORDS = struct.Struct("<II")
"""The number of records in each table; bytes after those are unused."""

# An identity is the first half of a key hash: a range of the index that in practice contains one key.
_KEY_IDS = text(
    """
SELECT identity, id AS key_id FROM unnest(:identities) identity
JOIN peers ON key_hash BETWEEN identity || '\\x0000000000000000'::bytea AND identity || '\\xffffffffffffffff'::bytea
""".replace("::", r"\:\:")
).bindparams(bindparam("identities", type_=ARRAY(LargeBinary)))


@dataclass(frozen=True, slots=True)
class SwarmPart:
    """Some records of a swarm, and its counts; a partial seed is neither a seeder nor a leecher."""

    records: Sequence[PeerRecord]
    seeders: int
    leechers: int
    truncated: bool


class SwarmStore:
    """The peers currently in the swarms, and whose keys they use."""

    def __init__(self, redis: Redis | RedisCluster, database: Database) -> None:
        self._redis = redis
        self._database = database

    async def is_tracked(self, info_hash: InfoHash) -> bool:
        """Return whether an infohash is tracked.

        Raises:
            PostgresUnavailableError: Postgres is down or too slow.
        """
        async with self._database.transaction() as connection:
            return bool(await connection.scalar(select(torrent_id(info_hash).is_not(None))))

    async def record_read(self, info_hash: InfoHash, actor: Actor) -> None:
        """Record in the audit log that an operator reads the peers of a swarm.

        Raises:
            PostgresUnavailableError: Postgres is down or too slow.
        """
        async with self._database.transaction() as connection:
            await record_read(connection, actor, info_hash)

    async def part(self, info_hash: InfoHash, limit: int) -> SwarmPart:
        """Return at most ``limit`` records of a swarm, and its counts; nothing if there is no swarm.

        Raises:
            RedisUnavailableError: Redis is down or too slow.
        """
        end = limit * LAYOUT.size - 1
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hget(redis_keys.members(info_hash), redis_keys.COUNTS_FIELD)
        pipeline.getrange(redis_keys.seeders(info_hash), 0, end)
        pipeline.getrange(redis_keys.leechers(info_hash), 0, end)
        try:
            counts, seeders, leechers = await pipeline.execute()
        except REDIS_UNAVAILABLE as error:
            raise RedisUnavailableError from error
        in_seeders, in_leechers = _RECORDS.unpack_from(counts) if counts else (0, 0)
        share = max(limit - min(in_leechers, limit // 2), 0)
        first = unpack_records(seeders)[: min(in_seeders, share)]
        rest = unpack_records(leechers)[: min(in_leechers, limit - len(first))]
        known = unpack_counts(counts)
        truncated = len(first) + len(rest) < in_seeders + in_leechers
        return SwarmPart([*first, *rest], known.seeders, known.leechers, truncated)

    async def key_ids(self, identities: Sequence[bytes]) -> Mapping[bytes, int]:
        """Return the ids of keys by the first 8 bytes of their hashes.

        Raises:
            PostgresUnavailableError: Postgres is down or too slow.
        """
        if not identities:
            return {}
        async with self._database.transaction() as connection:
            rows = await connection.execute(_KEY_IDS, {"identities": list(identities)})
            return {bytes(row.identity): row.key_id for row in rows}
