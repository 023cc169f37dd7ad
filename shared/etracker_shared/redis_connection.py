"""Connections to Redis, a single server or a cluster, that come up by themselves."""

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from etracker_shared.settings import RedisSettings

TIMEOUT_SECONDS = 5.0

REDIS_UNAVAILABLE = (RedisError, RedisClusterException, OSError, TimeoutError)
"""What a command raises while Redis is down, loading or refuses to write."""


def create_redis(settings: RedisSettings) -> Redis | RedisCluster:
    """Create a client that connects on first use; replies are bytes.

    A password in the URL goes before the one of ``ETRACKER_REDIS``.
    """
    client = RedisCluster if settings.redis_cluster else Redis
    return client.from_url(
        settings.redis_url,
        password=settings.redis.get_secret_value() or None,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
