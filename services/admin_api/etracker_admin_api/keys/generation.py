"""Generating announce keys, with a limit per address."""

from fastapi import HTTPException, Request

from etracker_admin_api.http.address_limit import AddressLimit
from etracker_admin_api.http.callers import Callers
from etracker_admin_api.keys.store import KeyStore
from etracker_admin_api.metrics import Metrics
from etracker_shared.language.identity import new_announce_key


class KeyGenerator:
    """Generates keys for callers. The operator's own machine isn't limited."""

    def __init__(self, keys: KeyStore, limit: AddressLimit, callers: Callers, metrics: Metrics) -> None:
        self._keys = keys
        self._limit = limit
        self._callers = callers
        self._metrics = metrics

    async def generate(self, request: Request, code_hash: bytes | None = None) -> str:
        """Generate a key and register it. ``code_hash``: of its recovery code, if it gets one.

        Raises:
            HTTPException: 429 if the address has generated too many.
        """
        announce_key = await self.new_key(request)
        await self._keys.register(announce_key, code_hash)
        self._metrics.keys.labels("generated").inc()
        return announce_key

    async def new_key(self, request: Request) -> str:
        """Generate a key without registering it.

        Raises:
            HTTPException: 429 if the address has generated too many.
        """
        await self.count(request)
        return new_announce_key()

    async def count(self, request: Request) -> None:
        """Count one change of a key by its holder, as if a key had been generated.

        Raises:
            HTTPException: 429 if the address has had too many.
        """
        address = self._callers.limited_address(request)
        wait_seconds = 0 if address is None else await self._limit.take(address)
        if wait_seconds:
            self._metrics.keys.labels("limited").inc()
            message = "Too many keys generated from your IP address. Use one of them, or try again later."
            raise HTTPException(429, message, {"Retry-After": str(wait_seconds)})
