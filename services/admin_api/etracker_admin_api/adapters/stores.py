"""How Postgres and Redis themselves are."""

from typing import Any

from redis.asyncio import Redis, RedisCluster
from sqlalchemy import text

from etracker_admin_api.adapters.database import Database
from etracker_admin_api.domain.system import PostgresState, RedisState
from etracker_admin_api.ports import DatabaseUnavailableError
from etracker_shared.redis_connections import REDIS_UNAVAILABLE

_POSTGRES = text(
    """
SELECT pg_database_size(current_database()), (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),
    current_setting('max_connections')::integer, (SELECT settled_time FROM totals)
""".replace("::", r"\:\:")
)


class Stores:
    """See :class:`~etracker_admin_api.ports.Stores`."""

    def __init__(self, database: Database, redis: Redis | RedisCluster) -> None:
        self._database = database
        self._redis = redis

    async def postgres(self) -> PostgresState | None:
        """See the port."""
        try:
            async with self._database.transaction() as connection:
                return PostgresState(*(await connection.execute(_POSTGRES)).one())
        except DatabaseUnavailableError:
            return None

    async def redis(self) -> RedisState | None:
        """See the port."""
        try:
            nodes = _nodes(await self._redis.info("memory"))
        except REDIS_UNAVAILABLE:
            return None
        return RedisState(
            sum(int(node["used_memory"]) for node in nodes), sum(int(node.get("maxmemory", 0)) for node in nodes)
        )


def _nodes(info: Any) -> list[dict[str, Any]]:
    """Return what each node says: a cluster answers by the node's name."""
    return [info] if "used_memory" in info else list(info.values())
