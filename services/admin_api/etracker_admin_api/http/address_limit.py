"""Rate limits per IP address, counted in Redis for all replicas by the ``limits`` library."""

import asyncio
import math
import time
from collections import OrderedDict, deque
from ipaddress import IPv6Address, ip_network
from typing import Any

from limits import RateLimitItem
from limits.aio.storage import RedisClusterStorage, RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import MovingWindowRateLimiter

from etracker_shared.agreements.redis_keys import LIMIT_PREFIX
from etracker_shared.language.addresses import Address
from etracker_shared.plumbing.redis_connections import REDIS_UNAVAILABLE
from etracker_shared.plumbing.settings import RedisSettings

_TIMEOUT_SECONDS = 1.0
_CONNECTIONS = 8
"""More at once would run into the timeout, and would then be counted by each replica separately."""
_RETRY_SECONDS = 1.0
_MAX_CALLERS = 10_000


class AddressLimit:
    """A moving window per address. An IPv6 /64 counts as one address, since one machine can have all of it.

    ``what`` distinguishes this limit from others. Redis compares and counts in one step, so concurrent callers can't
    exceed the limit. While Redis is down each replica counts separately. Never raises.
    """

    def __init__(self, settings: RedisSettings, rate: RateLimitItem, what: str) -> None:
        self._rate = rate
        self._what = what
        self._storage = _storage(settings)
        self._shared = MovingWindowRateLimiter(self._storage)
        self._own = OwnWindows(rate)
        self._slots = asyncio.Semaphore(_CONNECTIONS)
        self._down_until = 0.0

    async def take(self, address: Address) -> int:
        """Count one use; return 0, or the seconds to wait if the address has used up its share."""
        return await self.take_as(name_address(address))

    async def take_as(self, caller: str) -> int:
        """Count one use by a caller that isn't identified by an address."""
        async with self._slots:
            if time.monotonic() < self._down_until:
                return self._own.take(caller)
            return self._own.wait_seconds(caller) or await self._take(caller)

    async def close(self) -> None:
        """Close the connections to Redis."""
        bridge = self._storage.bridge
        if isinstance(bridge, RedispyBridge):
            await bridge.storage.aclose()

    async def _take(self, caller: str) -> int:
        try:
            if not await self._shared.hit(self._rate, self._what, caller):
                return max(1, await self._look(caller))
        except REDIS_UNAVAILABLE:
            self._down_until = time.monotonic() + _RETRY_SECONDS
        return self._own.take(caller)

    async def _look(self, caller: str) -> int:
        window = await self._shared.get_window_stats(self._rate, self._what, caller)
        if window.remaining > 0:
            return 0
        return max(1, math.ceil(window.reset_time - time.time()))


class OwnWindows:
    """The uses that this process has allowed, which is all it knows while Redis is down. At most 10,000 callers.

    The library's own in-memory storage would go through all callers for each new one.
    """

    def __init__(self, rate: RateLimitItem) -> None:
        self._most = rate.amount
        self._seconds = rate.get_expiry()
        self._taken: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, caller: str) -> int:
        """Count one use; return 0, or the seconds to wait if the caller has used up its share."""
        wait_seconds = self.wait_seconds(caller)
        if not wait_seconds:
            self._taken.setdefault(caller, deque(maxlen=self._most)).append(time.monotonic())
            self._taken.move_to_end(caller)
            if len(self._taken) > _MAX_CALLERS:
                self._taken.popitem(last=False)
        return wait_seconds

    def wait_seconds(self, caller: str) -> int:
        """Return the seconds to wait, 0 if there is a use left."""
        taken = self._taken.get(caller)
        if taken is None or len(taken) < self._most:
            return 0
        return max(0, math.ceil(taken[0] + self._seconds - time.monotonic()))


def name_address(address: Address) -> str:
    """Return the name under which an address is counted."""
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
    schemes = {"redis": f"async+{scheme}", "unix": "async+redis+unix"}  # the library's own names
    given, _, rest = settings.redis_url.partition("://")
    url = f"{schemes.get(given, given)}://{rest}"
    return kind(url, implementation="redispy", key_prefix=LIMIT_PREFIX.rstrip(":"), **options)
