"""Connections to Redis, single or cluster, that fail fast and reconnect by themselves."""

from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError
from structlog import get_logger

from etracker_shared.plumbing.redis_urls import socket_complaint
from etracker_shared.plumbing.settings import RedisSettings

REDIS_UNAVAILABLE = (RedisError, RedisClusterException, OSError, TimeoutError)
"""What a command raises while Redis is down, is loading, or refuses writes."""


log = get_logger("redis")


def connect_redis(settings: RedisSettings, *, timeout_seconds: float = 1.0) -> Redis | RedisCluster:
    """Return a client that connects on first use and returns bytes. A password in the URL has precedence."""
    if complaint := socket_complaint(settings.redis_url):
        log.warning("redis_is_out_of_reach", reason=complaint)
    password = settings.redis.get_secret_value() or None
    options: dict[str, Any] = {"socket_timeout": timeout_seconds, "socket_connect_timeout": timeout_seconds}
    if password is not None:
        options["password"] = password
    if settings.redis_cluster:
        return RedisCluster.from_url(settings.redis_url, **options)
    retry = Retry(NoBackoff(), 1)  # once, because a restart of Redis leaves dead connections in the pool
    return Redis.from_url(settings.redis_url, retry=retry, **options)
