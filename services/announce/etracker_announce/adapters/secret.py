"""The deployment's pair secret, which the first migration generates."""

import asyncio

import asyncpg
from structlog import get_logger

from etracker_shared.agreements.secret_names import PAIR_SECRET
from etracker_shared.plumbing.postgres import UNAVAILABLE

RETRY_SECONDS = 0.5

log = get_logger("secret")


class PairSecret:
    """``value`` is None until ``loaded`` is set; after that it never changes."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.value: bytes | None = None
        self.loaded = asyncio.Event()

    async def load(self) -> None:
        """Ask Postgres repeatedly until it is up, migrated and answers."""
        waiting = False
        while self.value is None:
            try:
                self.value = await self._pool.fetchval("SELECT value FROM secrets WHERE name = $1", PAIR_SECRET)
            except (*UNAVAILABLE, asyncpg.UndefinedTableError, asyncpg.InvalidCatalogNameError) as error:
                if not waiting:
                    log.warning("secret_awaited", error=type(error).__name__)
                waiting = True
            if self.value is None:
                await asyncio.sleep(RETRY_SECONDS)
        self.loaded.set()

    async def is_loaded(self) -> bool:
        """Return whether announces can be answered yet."""
        return self.value is not None
