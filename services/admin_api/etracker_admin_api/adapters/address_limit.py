"""How often an address may do something: counted in Redis for all replicas, by the ``limits`` library."""

import math
import time
from ipaddress import IPv6Address, ip_network
from typing import Any

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisClusterStorage, RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import MovingWindowRateLimiter

from etracker_shared.addresses import Address
from etracker_shared.redis_connections import REDIS_UNAVAILABLE
from etracker_shared.redis_keys import LIMIT_PREFIX
from etracker_shared.settings import RedisSettings

_TIMEOUT_SECONDS = 1.0


class RedisAddressLimit:
    """A moving window an address; an IPv6 /64 is one address, since one machine can have all of it.

    See :class:`~etracker_admin_api.ports.AddressLimit`. ``what`` tells one limit from the others.
    """

    def __init__(self, settings: RedisSettings, rate: RateLimitItem, what: str) -> None:
        self._rate = rate
        self._what = what
        self._storage = _storage(settings)
        self._shared = MovingWindowRateLimiter(self._storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())

    async def take(self, address: Address) -> int:
        """See the port."""
        caller = _caller(address)
        try:
            return await self._take(self._shared, caller)
        except REDIS_UNAVAILABLE:
            return await self._take(self._own, caller)

    async def wait_seconds(self, address: Address) -> int:
        """See the port."""
        caller = _caller(address)
        try:
            return await self._look(self._shared, caller)
        except REDIS_UNAVAILABLE:
            return await self._look(self._own, caller)

    async def close(self) -> None:
        """Close the connections to Redis."""
        bridge = self._storage.bridge
        if isinstance(bridge, RedispyBridge):
            await bridge.storage.aclose()

    async def _take(self, limiter: MovingWindowRateLimiter, caller: str) -> int:
        if await limiter.hit(self._rate, self._what, caller):
            return 0
        return max(1, await self._look(limiter, caller))

    async def _look(self, limiter: MovingWindowRateLimiter, caller: str) -> int:
        window = await limiter.get_window_stats(self._rate, self._what, caller)
        if window.remaining > 0:
            return 0
        return max(1, math.ceil(window.reset_time - time.time()))


def _caller(address: Address) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False).network_address)
    return str(address)


def _storage(settings: RedisSettings) -> RedisStorage:
    kind, scheme = (RedisClusterStorage, "redis+cluster") if settings.redis_cluster else (RedisStorage, "redis")
    options: dict[str, Any] = {
        "socket_timeout": _TIMEOUT_SECONDS,
        "socket_connect_timeout": _TIMEOUT_SECONDS,
    }
    if password := settings.redis.get_secret_value():
        options["password"] = password
    url = settings.redis_url.replace("redis://", f"async+{scheme}://", 1)
    return kind(url, implementation="redispy", key_prefix=LIMIT_PREFIX.rstrip(":"), **options)
