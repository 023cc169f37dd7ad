"""Limits on downloads per key and per address, counted in Redis for all replicas: at the same time, and over time."""

import secrets
import time
from collections import Counter
from typing import Any

from redis.asyncio import Redis, RedisCluster

from etracker_admin_api.errors import TooManyDownloadsError
from etracker_admin_api.http.address_limit import AddressLimit, name_address
from etracker_shared.agreements.redis_keys import DOWNLOADS_PREFIX
from etracker_shared.language.addresses import Address
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.redis_connections import REDIS_UNAVAILABLE
from etracker_shared.plumbing.redis_scripts import Script

PASS_SECONDS = 300
"""A download without progress for this long counts as ended: its replica may have crashed."""
EXTEND_SECONDS = 60
WAIT_SECONDS = 5
"""How long callers with too many downloads in progress are asked to wait."""

_START = Script(__package__, "at_once.lua")
_EXTEND = Script(__package__, "extend_download.lua")


class DownloadLimit:
    """How much a key and an address may download. While Redis is down each replica counts separately."""

    def __init__(self, redis: Redis | RedisCluster, rate: AddressLimit, max_at_once: int) -> None:
        self._redis = redis
        self._rate = rate
        self._max_at_once = max_at_once
        self._own: Counter[str] = Counter()

    async def enter(self, announce_key: str, address: Address | None) -> "DownloadPass":
        """Start a download; without an address only the key is limited.

        Raises:
            TooManyDownloadsError: one of them has used up its share.
        """
        names = [f"key:{hash_announce_key(announce_key).hex()}"]
        if address is not None:
            names.append(f"address:{name_address(address)}")
        allowed = DownloadPass(self._redis, self._own, self._max_at_once)
        try:
            for name in names:
                await allowed.start(name)
            for name in names:
                await self._take_share(name)
        except BaseException:
            await allowed.give_back()
            raise
        return allowed

    async def _take_share(self, name: str) -> None:
        if wait_seconds := await self._rate.take_as(name):
            raise TooManyDownloadsError(wait_seconds)


class DownloadPass:
    """Permission for one download: extended while it makes progress, given back at its end."""

    def __init__(self, redis: Redis | RedisCluster, own: Counter[str], max_at_once: int) -> None:
        self._redis = redis
        self._own = own
        self._max_at_once = max_at_once
        self._token = secrets.token_bytes(8)
        self._extended = time.monotonic()
        self._shared_names: list[str] = []
        self._own_names: list[str] = []

    async def start(self, name: str) -> None:
        """Count the download under a name.

        Raises:
            TooManyDownloadsError: the name has too many downloads in progress.
        """
        try:
            started = await self._run(_START, name, self._token, self._max_at_once, PASS_SECONDS)
        except REDIS_UNAVAILABLE:
            started = self._start_here(name)
        else:
            if started:
                self._shared_names.append(name)
        if not started:
            raise TooManyDownloadsError(WAIT_SECONDS)

    async def extend(self) -> None:
        """Note that the download makes progress."""
        if time.monotonic() - self._extended < EXTEND_SECONDS:
            return
        self._extended = time.monotonic()
        try:
            for name in self._shared_names:
                await self._run(_EXTEND, name, self._token, PASS_SECONDS)
        except REDIS_UNAVAILABLE:
            return

    async def give_back(self) -> None:
        """End the download."""
        while self._own_names:
            name = self._own_names.pop()
            self._own[name] -= 1
            if not self._own[name]:
                del self._own[name]
        try:
            while self._shared_names:
                await self._redis.zrem(DOWNLOADS_PREFIX + self._shared_names.pop(), self._token)
        except REDIS_UNAVAILABLE:
            return

    def _start_here(self, name: str) -> bool:
        if self._own[name] >= self._max_at_once:
            return False
        self._own[name] += 1
        self._own_names.append(name)
        return True

    async def _run(self, script: Script, name: str, *arguments: Any) -> Any:
        return await self._redis.eval(script.source, 1, DOWNLOADS_PREFIX + name, *arguments)  # type: ignore[arg-type]
