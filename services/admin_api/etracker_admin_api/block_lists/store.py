"""Which peers a recipient's block list contains."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, NamedTuple

from redis.asyncio import Redis, RedisCluster
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.anomaly_conditions import CONFIRMED, IDENTIFIED, IDENTITY
from etracker_admin_api.database import Database
from etracker_admin_api.errors import RedisUnavailableError
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.anomalies import DetectionMode, Verdict
from etracker_shared.agreements.anomaly_tables import anomalies
from etracker_shared.agreements.block_lists import (
    HANDED_SECONDS,
    IDENTITY_BYTES,
    MOST_KEYS_AT_ADDRESS,
    Handed,
    accused_prefixes,
    name_address,
    parse_token,
    unpack_handed,
)
from etracker_shared.agreements.secret_names import PAIR_SECRET
from etracker_shared.agreements.tables import secrets
from etracker_shared.language.addresses import Address
from etracker_shared.language.identity import packed_prefix
from etracker_shared.plumbing.redis_connections import REDIS_UNAVAILABLE

_PORT_BYTES = 2


Wasters = Mapping[bytes, frozenset[bytes]]
"""By identity: the address prefixes on which a verdict is carried out, empty for all."""


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
        self._secret: bytes | None = None

    async def find(self, token: str) -> Sequence[HandedPeer]:
        """Return the peers on a recipient's list; none if the token is wrong or has expired.

        Raises:
            RedisUnavailableError: Redis is down or too slow.
            PostgresUnavailableError: Postgres is down or too slow.
        """
        if self._mode is not DetectionMode.ENFORCE:
            return []
        secret = await self._load_secret()
        recipient = parse_token(secret, token)
        if recipient is None:
            return []
        handed = await self._read_handed(recipient)
        wasters = await self._find_wasters({one.identity for one in handed})
        peers = list(_peers(handed, wasters))
        return await self._leave_out_shared(secret, peers)

    async def _load_secret(self) -> bytes:
        if self._secret is None:
            wanted = select(secrets.c.value).where(secrets.c.name == PAIR_SECRET)
            async with self._database.transaction() as connection:
                self._secret = bytes((await connection.execute(wanted)).scalar_one())
        return self._secret

    async def _read_handed(self, recipient: bytes) -> Sequence[Handed]:
        try:
            fields: Any = await self._redis.hgetall(redis_keys.handed(recipient))
        except REDIS_UNAVAILABLE as error:
            raise RedisUnavailableError from error
        return list(unpack_handed(fields, int(time.time())))

    async def _find_wasters(self, identities: set[bytes]) -> Wasters:
        if not identities:
            return {}
        async with self._database.transaction() as connection:
            return await _confirmed_wasters(connection, identities)

    async def _leave_out_shared(self, secret: bytes, peers: Sequence[HandedPeer]) -> Sequence[HandedPeer]:
        """Leave out addresses that many keys use: blocking one would hit others, too."""
        if not peers:
            return []
        pipeline, since = self._redis.pipeline(transaction=False), time.time() - HANDED_SECONDS
        for peer in peers:
            pipeline.zcount(redis_keys.keys_at(name_address(secret, peer.address.packed)), since, "+inf")
        try:
            numbers = await pipeline.execute()
        except REDIS_UNAVAILABLE as error:
            raise RedisUnavailableError from error
        return [peer for peer, keys in zip(peers, numbers, strict=True) if keys <= MOST_KEYS_AT_ADDRESS]


async def _confirmed_wasters(connection: AsyncConnection, identities: set[bytes]) -> Wasters:
    identity = func.substring(IDENTITY, 1, IDENTITY_BYTES)
    confirmed = (CONFIRMED, anomalies.c.verdict == Verdict.WASTE, identity.in_(identities))
    wanted = select(identity.label("identity"), anomalies.c.prefixes).select_from(IDENTIFIED)
    rows = await connection.execute(wanted.where(*confirmed))
    return {bytes(row.identity): _accused(row.prefixes) for row in rows}


def _accused(prefixes: Mapping[str, float]) -> frozenset[bytes]:
    return accused_prefixes({bytes.fromhex(prefix): points for prefix, points in prefixes.items()})


def _peers(handed: Iterable[Handed], wasters: Wasters) -> Iterator[HandedPeer]:
    """Yield each endpoint of a waster once, with the last time it was given, the newest first."""
    last: dict[bytes, int] = {}
    for one in handed:
        for endpoint in one.endpoints if one.identity in wasters else ():
            accused = wasters[one.identity]
            if not accused or packed_prefix(endpoint[:-_PORT_BYTES]) in accused:
                last[endpoint] = max(one.at, last.get(endpoint, 0))
    for endpoint in sorted(last, key=lambda endpoint: (-last[endpoint], len(endpoint), endpoint)):
        address, port = ip_address(endpoint[:-_PORT_BYTES]), int.from_bytes(endpoint[-_PORT_BYTES:], "big")
        yield HandedPeer(address, port, datetime.fromtimestamp(last[endpoint], UTC))
