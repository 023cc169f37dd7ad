"""Bans, kept in memory: loaded from Postgres, which notifies of changes."""

import asyncio
import time
from collections.abc import Sequence

import asyncpg
from structlog import get_logger

from etracker_announce.adapters.queries import fetch_in_time
from etracker_announce.domain.bans import PERMANENT, Ban, BanKind, Bans
from etracker_announce.metrics import Metrics
from etracker_shared.agreements.notifications import BANS_CHANNEL
from etracker_shared.plumbing.postgres import UNAVAILABLE, Listener

RECHECK_SECONDS = 1.0
"""How often all bans are loaded while no notifications arrive."""
RETRY_SECONDS = 0.25
ROWS_AT_ONCE = 1000
"""Rows handled before the event loop does other work: about 2 ms."""
MOST_CHANGES = 10_000
"""If more changed rows than this are waiting, all bans are loaded instead."""
RELOAD_SECONDS = 3600.0
"""How often all bans are loaded in any case, so that expired ones don't take up memory."""

# cidr_send returns the family, the number of bits, two bytes that don't matter here, and the address. The query returns
# the time left, because the clocks of two hosts differ.
_COLUMNS = """
SELECT id, cidr_send(network) AS network, peer_id_prefix, info_hash,
    date_part('epoch', expires_time - clock_timestamp()) AS seconds_left
FROM bans WHERE (expires_time IS NULL OR expires_time > clock_timestamp())
"""
_LOAD_AFTER = f"{_COLUMNS} AND id > $1 ORDER BY id LIMIT $2"
_LOAD_CHANGED = f"{_COLUMNS} AND id = ANY($1::bigint[])"
_FIRST = -(2**63)

_OUTAGES = (*UNAVAILABLE, asyncpg.UndefinedTableError, asyncpg.InvalidCatalogNameError)

log = get_logger("bans")


class PostgresBans:
    """Keeps the bans fresh. ``current`` is None until they are loaded, and stays the same while Postgres is down."""

    def __init__(self, pool: asyncpg.Pool, listener: Listener, metrics: Metrics) -> None:
        self._pool = pool
        self._listener = listener
        self._metrics = metrics
        self.current: Bans | None = None
        self._by_id: dict[int, Ban] = {}
        self._changed: dict[int, None] = {}  # in the order in which they changed
        self._everything_changed = True
        self._reload_at = 0.0
        self._wake = asyncio.Event()

    def hear(self, channel: str, row_ids: Sequence[bytes] | None) -> None:
        """Handle a notification from Postgres."""
        if channel != BANS_CHANNEL:
            return
        if row_ids is None or len(self._changed) > MOST_CHANGES:
            self._everything_changed = True
        else:
            self._changed.update((int.from_bytes(row_id, "big", signed=True), None) for row_id in row_ids)
        self._wake.set()

    async def run(self) -> None:
        """Load the bans, then follow changes until cancelled."""
        failing = False
        while True:
            self._wake.clear()
            try:
                await self._refresh()
            except _OUTAGES as error:
                if not failing:
                    log.warning("bans_not_refreshed", error=type(error).__name__)
                failing = True
                await asyncio.sleep(RETRY_SECONDS)
            else:
                failing = False
                await self._wait()

    async def is_loaded(self) -> bool:
        """Return whether announces can be answered yet."""
        return self.current is not None

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(RECHECK_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            if not self._listener.connected or time.monotonic() >= self._reload_at:
                self._everything_changed = True

    async def _refresh(self) -> None:
        while self._everything_changed or self._changed:
            if self._everything_changed or self.current is None:
                await self._load_all()
            else:
                await self._load_changed(self.current, list(self._changed)[:ROWS_AT_ONCE])
        if self.current is not None:
            for kind, number in self.current.counts.items():
                self._metrics.bans[kind].set(number)

    async def _load_all(self) -> None:
        """Load all bans, then replace the current ones. What changes in the meantime is loaded again."""
        self._everything_changed = False
        self._changed.clear()
        bans, by_id, last_id = Bans(), dict[int, Ban](), _FIRST
        try:
            while rows := await fetch_in_time(self._pool, _LOAD_AFTER, last_id, ROWS_AT_ONCE):
                self._add(bans, by_id, rows)
                last_id = rows[-1]["id"]
        except BaseException:
            self._everything_changed = True
            raise
        self.current, self._by_id = bans, by_id
        self._reload_at = time.monotonic() + RELOAD_SECONDS

    async def _load_changed(self, bans: Bans, row_ids: Sequence[int]) -> None:
        for row_id in row_ids:  # before the query, so that a row that changes during it is loaded again
            del self._changed[row_id]
        try:
            rows = await fetch_in_time(self._pool, _LOAD_CHANGED, row_ids)
        except BaseException:
            self._changed.update(dict.fromkeys(row_ids))
            raise
        for row_id in row_ids:  # remove all before adding any: a new row may ban the same thing as an old one
            if ban := self._by_id.pop(row_id, None):
                bans.remove(ban)
        self._add(bans, self._by_id, rows)

    def _add(self, bans: Bans, by_id: dict[int, Ban], rows: Sequence[asyncpg.Record]) -> None:
        now = time.monotonic()
        for row in rows:
            ban = by_id[row["id"]] = _parse(row, now)
            if not bans.add(ban):
                # Two rows for the same thing were read at different times: removing the older one would remove both.
                self._everything_changed = True


def _parse(row: asyncpg.Record, now: float) -> Ban:
    seconds_left = row["seconds_left"]
    expires = PERMANENT if seconds_left is None else now + seconds_left
    if network := row["network"]:
        return Ban(BanKind.NETWORK, network[4:], network[1], expires)
    if prefix := row["peer_id_prefix"]:
        return Ban(BanKind.CLIENT, prefix, 8 * len(prefix), expires)
    return Ban(BanKind.TORRENT, row["info_hash"], 160, expires)
