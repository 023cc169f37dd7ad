"""The metrics of connections to Postgres and Redis, read from the pools when somebody asks for metrics."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import asyncpg
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.asyncio import Redis, RedisCluster

_QUEUE, _WAITING = "_queue", "_getters"
"""Private attributes: asyncpg doesn't say in any other way how many wait for a connection. A test holds it to them."""


class PoolState(NamedTuple):
    """Connections in use and idle, requests that wait for a connection, and the most connections there may be."""

    used: int
    idle: int
    waiting: int
    limit: int


class _PostgresPools(Collector):
    def __init__(self, pools: Mapping[str, Callable[[], PoolState]]) -> None:
        self._pools = pools

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Read every pool."""
        connections = GaugeMetricFamily(
            "etracker_postgres_pool_connections",
            "Open connections of this process to Postgres, by pool and whether they are used or idle.",
            labels=["pool", "state"],
        )
        waiting = GaugeMetricFamily(
            "etracker_postgres_pool_waiting", "Requests that wait for a connection to Postgres.", labels=["pool"]
        )
        limit = GaugeMetricFamily(
            "etracker_postgres_pool_limit", "The most connections that a pool may open.", labels=["pool"]
        )
        for name, read in self._pools.items():
            state = read()
            connections.add_metric([name, "used"], state.used)
            connections.add_metric([name, "idle"], state.idle)
            waiting.add_metric([name], state.waiting)
            limit.add_metric([name], state.limit)
        return connections, waiting, limit


class _RedisPool(Collector):
    def __init__(self, client: Redis | RedisCluster) -> None:
        self._client = client

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Read the pool; a cluster's client has none that can be read."""
        connections = GaugeMetricFamily(
            "etracker_redis_pool_connections",
            "Open connections of this process to Redis, by whether they are used or idle.",
            labels=["state"],
        )
        if isinstance(self._client, Redis):
            (idle, _), (used, _) = self._client.connection_pool.get_connection_count()
            connections.add_metric(["used"], used)
            connections.add_metric(["idle"], idle)
        return (connections,)


def observe_postgres(registry: CollectorRegistry, pools: Mapping[str, Callable[[], PoolState]]) -> None:
    """Add the metrics of pools by name."""
    registry.register(_PostgresPools(pools))


def observe_redis(registry: CollectorRegistry, client: Redis | RedisCluster) -> None:
    """Add the metrics of a client's connections."""
    registry.register(_RedisPool(client))


def read_pool(pool: asyncpg.Pool) -> PoolState:
    """Return the state of a pool, zeros before it has been opened."""
    queue: Any = getattr(pool, _QUEUE)
    if queue is None:
        return PoolState(0, 0, 0, pool.get_max_size())
    idle = pool.get_idle_size()
    return PoolState(pool.get_size() - idle, idle, len(getattr(queue, _WAITING)), pool.get_max_size())
