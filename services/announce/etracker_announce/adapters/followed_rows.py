"""Rows of Postgres, kept in memory: loaded in pages, then followed by the notifications of their changes."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence

import asyncpg
from structlog import get_logger

from etracker_announce.adapters.queries import fetch_in_time
from etracker_shared.plumbing.postgres import UNAVAILABLE, Listener

RECHECK_SECONDS = 1.0
"""How often all rows are loaded while no notifications arrive."""
RETRY_SECONDS = 0.25
ROWS_AT_ONCE = 1000
"""Rows handled before the event loop does other work: about 2 ms."""
MOST_CHANGES = 10_000
"""If more changed rows than this are waiting, all rows are loaded instead."""
RELOAD_SECONDS = 3600.0
"""How often all rows are loaded in any case, so that expired ones don't take up memory."""

_OUTAGES = (*UNAVAILABLE, asyncpg.UndefinedTableError, asyncpg.InvalidCatalogNameError)

log = get_logger("rows")


class FollowedRows(ABC):
    """Keeps what a table says fresh; it stays the same while Postgres is down.

    ``loaded`` is set once all rows have been loaded. ``channel``: where changes are notified. ``load_changed``: a query
    for the rows with given ids ($1). ``name``: for the log.
    """

    channel: str
    load_changed: str
    name: str

    def __init__(self, pool: asyncpg.Pool, listener: Listener) -> None:
        self._pool = pool
        self._listener = listener
        self._changed: dict[int, None] = {}  # in the order in which they changed
        self._everything_changed = True
        self._reload_at = 0.0
        self._wake = asyncio.Event()
        self.loaded = asyncio.Event()

    @abstractmethod
    def pages(self) -> AsyncIterator[Sequence[asyncpg.Record]]:
        """Fetch all rows, at most :data:`ROWS_AT_ONCE` at a time."""

    @abstractmethod
    def begin(self) -> None:
        """Begin to collect all rows."""

    @abstractmethod
    def collect(self, rows: Sequence[asyncpg.Record]) -> None:
        """Add a page to the collection."""

    @abstractmethod
    def replace(self) -> None:
        """Put the collection in the place of what was known."""

    @abstractmethod
    def change(self, row_ids: Sequence[int], rows: Sequence[asyncpg.Record]) -> None:
        """Forget the rows with these ids, and add those that are still there."""

    @abstractmethod
    def refreshed(self) -> None:
        """Called when everything that was notified has been loaded."""

    def hear(self, channel: str, row_ids: Sequence[bytes] | None) -> None:
        """Handle a notification from Postgres."""
        if channel != self.channel:
            return
        if row_ids is None or len(self._changed) > MOST_CHANGES:
            self._everything_changed = True
        else:
            self._changed.update((int.from_bytes(row_id, "big", signed=True), None) for row_id in row_ids)
        self._wake.set()

    async def run(self) -> None:
        """Load the rows, then follow changes until cancelled."""
        failing = False
        while True:
            self._wake.clear()
            try:
                await self._refresh()
            except _OUTAGES as error:
                if not failing:
                    log.warning("rows_not_refreshed", rows=self.name, error=type(error).__name__)
                failing = True
                await asyncio.sleep(RETRY_SECONDS)
            else:
                failing = False
                await self._wait()

    def load_again(self, at: float) -> None:
        """Load everything again at ``at`` (monotonic clock) or earlier."""
        self._reload_at = min(self._reload_at, at)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(RECHECK_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            if not self._listener.connected or time.monotonic() >= self._reload_at:
                self._everything_changed = True

    async def _refresh(self) -> None:
        while self._everything_changed or self._changed:
            if self._everything_changed or not self.loaded.is_set():
                await self._load_all()
            else:
                await self._load_changed(list(self._changed)[:ROWS_AT_ONCE])
        if self.loaded.is_set():
            self.refreshed()

    async def _load_all(self) -> None:
        """Load all rows, then replace the current ones. What changes in the meantime is loaded again."""
        self._everything_changed = False
        self._changed.clear()
        self._reload_at = time.monotonic() + RELOAD_SECONDS
        self.begin()
        try:
            async for rows in self.pages():
                self.collect(rows)
        except BaseException:
            self._everything_changed = True
            raise
        self.replace()
        self.loaded.set()

    async def _load_changed(self, row_ids: Sequence[int]) -> None:
        for row_id in row_ids:  # before the query, so that a row that changes during it is loaded again
            del self._changed[row_id]
        try:
            rows = await self._fetch(self.load_changed, row_ids)
        except BaseException:
            self._changed.update(dict.fromkeys(row_ids))
            raise
        self.change(row_ids, rows)

    async def _fetch(self, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
        return await fetch_in_time(self._pool, statement, *arguments)
