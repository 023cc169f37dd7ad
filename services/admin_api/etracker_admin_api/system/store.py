"""The state of Postgres and Redis themselves."""

from typing import Any

from redis.asyncio import Redis, RedisCluster
from sqlalchemy import text

from etracker_admin_api.database import Database, fetch
from etracker_admin_api.system.states import PostgresState, RedisState
from etracker_shared.language.outages import PostgresUnavailableError
from etracker_shared.plumbing.redis_connections import REDIS_UNAVAILABLE

_POSTGRES = text(
    """
SELECT pg_database_size(current_database()) AS size_bytes,
    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
    current_setting('max_connections')::integer AS max_connections,
    (SELECT settled_time FROM totals) AS last_write
""".replace("::", r"\:\:")
)


class StoreStates:
    """Reads the state of Postgres and Redis. Nothing here raises."""

    def __init__(self, database: Database, redis: Redis | RedisCluster) -> None:
        self._database = database
        self._redis = redis

    async def postgres(self) -> PostgresState | None:
        """Return the state of Postgres, None if it doesn't respond."""
        try:
            async with self._database.transaction() as connection:
                [state] = await fetch(connection, _POSTGRES, PostgresState)
        except PostgresUnavailableError:
            return None
        return state

    async def redis(self) -> RedisState | None:
        """Return the state of Redis, None if it doesn't respond."""
        try:
            nodes = _nodes(await self._redis.info("memory"))
        except REDIS_UNAVAILABLE:
            return None
        return RedisState(
            memory_bytes=sum(int(node["used_memory"]) for node in nodes),
            max_memory_bytes=sum(int(node.get("maxmemory", 0)) for node in nodes),
        )


def _nodes(info: Any) -> list[dict[str, Any]]:
    """Return the reply of each node: a cluster's reply is a dictionary by node name."""
    return [info] if "used_memory" in info else list(info.values())
