"""The numbers of the whole tracker that its metrics show, at a cost that doesn't grow with swarms, peers or keys."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg
from redis.asyncio import Redis, RedisCluster

from etracker_scoring.errors import StreamsUnavailableError, postgres_errors
from etracker_scoring.worker.pipelines import execute
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.counts import unpack_table_sizes
from etracker_shared.agreements.peer_records import LAYOUT, PeerFlag, PeerRecord, unpack_records
from etracker_shared.plumbing.redis_connections import REDIS_UNAVAILABLE

SAMPLED_SWARMS = 64
SAMPLED_RECORDS = 20
"""Of each table of a sampled swarm. A tracker with few and small swarms is counted in full."""

COUNTED_KEYS = 10_000
"""Above this many, the number of keys is Postgres' estimate."""

_TOTALS = (redis_keys.SEEDERS_FIELD, redis_keys.LEECHERS_FIELD, redis_keys.SWARMS_FIELD)

_STORED = f"""
SELECT pg_database_size(current_database()) AS database_bytes,
    (SELECT sum(numbackends) FROM pg_stat_database)::bigint AS connections,
    current_setting('max_connections')::bigint AS max_connections,
    (SELECT coalesce(sum(torrents), 0) FROM torrent_counts)::bigint AS torrents,
    CASE WHEN reltuples > {COUNTED_KEYS} THEN reltuples::bigint
        ELSE (SELECT count(*) FROM (SELECT FROM peers LIMIT {2 * COUNTED_KEYS}) few) END AS keys
FROM pg_class WHERE oid = 'peers'::regclass
"""  # noqa: S608 - numbers of our own


class Stored(NamedTuple):
    """What Postgres holds, and the size and connections of its server."""

    database_bytes: int
    connections: int
    max_connections: int
    torrents: int
    keys: int


class RedisServer(NamedTuple):
    """The state of Redis, summed over all nodes. A limit of 0 means none."""

    memory_bytes: int
    max_memory_bytes: int
    clients: int
    cpu_seconds: float


class SwarmTotals(NamedTuple):
    """``peers``: by role and family. ``due_swarms``: those that the sweeper should have visited.

    ``delay_seconds``: by how long the longest due one is late.
    """

    swarms: int
    peers: Mapping[tuple[str, str], float]
    due_swarms: int
    delay_seconds: float


class Census(NamedTuple):
    """Everything that is counted at one time."""

    swarms: SwarmTotals
    stored: Stored
    redis: RedisServer


async def count_stored(pool: asyncpg.Pool) -> Stored:
    """Return what Postgres knows.

    Raises:
        PostgresUnavailableError: Postgres isn't available.
    """
    with postgres_errors():
        [row] = await pool.fetch(_STORED)
    return Stored(**row)


async def look_at_redis(client: Redis | RedisCluster) -> RedisServer:
    """Return what Redis says about itself.

    Raises:
        StreamsUnavailableError: Redis isn't available.
    """
    try:
        memory, clients, cpu = [_nodes(await client.info(section)) for section in ("memory", "clients", "cpu")]
    except REDIS_UNAVAILABLE as error:
        raise StreamsUnavailableError(type(error).__name__) from error
    return RedisServer(
        memory_bytes=sum(node["used_memory"] for node in memory),
        max_memory_bytes=sum(node.get("maxmemory", 0) for node in memory),
        clients=sum(node["connected_clients"] for node in clients),
        cpu_seconds=sum(node["used_cpu_user"] + node["used_cpu_sys"] for node in cpu),
    )


async def count_swarms(client: Redis | RedisCluster, now: float) -> SwarmTotals:
    """Return the totals of all swarms.

    Raises:
        StreamsUnavailableError: Redis isn't available.
    """
    commands = [("HMGET", key, *_TOTALS) for key in redis_keys.ALL_TOTALS]
    *tags, twice = await execute(client, [*commands, ("HMGET", redis_keys.TWICE, *_TOTALS[:2])])
    seeders, leechers, swarms = (max(0, sum(int(tag[field] or 0) for tag in tags)) for field in range(len(_TOTALS)))
    used = [number for number, tag in enumerate(tags) if int(tag[2] or 0) > 0]
    due_swarms, oldest = await _due(client, used, now)
    shares = await _shares(client, random.sample(used, min(SAMPLED_SWARMS, len(used))))
    totals = {
        "seeder": max(0, seeders - int(twice[0] or 0)),
        "leecher": max(0, leechers - int(twice[1] or 0)),
    }
    peers = {(role, family): total * share for role, total in totals.items() for family, share in shares[role].items()}
    return SwarmTotals(swarms, peers, due_swarms, max(0.0, now - oldest))


async def _due(client: Redis | RedisCluster, tags: Sequence[int], now: float) -> tuple[int, float]:
    """Return how many swarms of these tags are due, and since when the first of them is."""
    keys = [redis_keys.ALL_DUE[tag] for tag in tags]
    counts = [("ZCOUNT", key, "-inf", now) for key in keys]
    replies = await execute(client, [*counts, *(("ZRANGEBYSCORE", key, "-inf", now, "LIMIT", 0, 1) for key in keys)])
    first = [(key, found[0]) for key, found in zip(keys, replies[len(keys) :], strict=True) if found]
    times = await execute(client, [("ZSCORE", key, swarm) for key, swarm in first])
    return sum(replies[: len(keys)]), min((float(one) for one in times if one is not None), default=now)


async def _shares(client: Redis | RedisCluster, tags: Sequence[int]) -> Mapping[str, Mapping[str, float]]:
    """Return, for each role, which share of peers has which address family, estimated from one swarm of each tag."""
    found = await execute(client, [("ZRANDMEMBER", redis_keys.ALL_DUE[tag]) for tag in tags])
    swarms = [swarm for swarm in found if swarm]
    commands = [("HGET", redis_keys.members(swarm), redis_keys.COUNTS_FIELD) for swarm in swarms]
    sizes = [unpack_table_sizes(value) for value in await execute(client, commands)]
    tables = [
        (role, key(swarm), size)
        for swarm, both in zip(swarms, sizes, strict=True)
        for role, key, size in zip(("seeder", "leecher"), (redis_keys.seeders, redis_keys.leechers), both, strict=True)
        if size
    ]
    windows = await execute(client, [("GETRANGE", key, *_window(size)) for _, key, size in tables])
    weights: dict[str, Counter[str]] = {"seeder": Counter(), "leecher": Counter()}
    for (role, _, size), window in zip(tables, windows, strict=True):
        families = [_family(record) for record in unpack_records(window) if not record.flags & PeerFlag.PARTIAL_SEED]
        weights[role].update({family: size / len(families) * count for family, count in Counter(families).items()})
    return {role: _normalized(of_role) for role, of_role in weights.items()}


def _window(size: int) -> tuple[int, int]:
    """Return which bytes of a table to read: some records that follow each other."""
    start = random.randint(0, max(0, size - SAMPLED_RECORDS))  # noqa: S311 - a sample
    return start * LAYOUT.size, min(size, start + SAMPLED_RECORDS) * LAYOUT.size - 1


def _family(record: PeerRecord) -> str:
    if record.seen4 and record.seen6:
        return "both"
    return "ipv6" if record.seen6 else "ipv4"


def _normalized(weights: Mapping[str, float]) -> Mapping[str, float]:
    total = sum(weights.values())
    return {family: weight / total for family, weight in weights.items()} if total else {"unknown": 1.0}


def _nodes(info: Any) -> list[dict[str, Any]]:
    """Return the reply of each node: a cluster's reply is a dictionary by node name."""
    nested = [value for value in info.values() if isinstance(value, dict)]
    return nested if len(nested) == len(info) else [info]
