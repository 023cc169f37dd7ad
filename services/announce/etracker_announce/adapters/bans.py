"""Bans, kept in memory."""

import time
from collections.abc import AsyncIterator, Sequence

import asyncpg

from etracker_announce.adapters.followed_rows import ROWS_AT_ONCE, FollowedRows
from etracker_announce.domain.bans import PERMANENT, Ban, BanKind, Bans
from etracker_announce.metrics import Metrics
from etracker_shared.agreements.notifications import BANS_CHANNEL
from etracker_shared.plumbing.postgres import Listener

# cidr_send returns the family, the number of bits, two bytes that don't matter here, and the address. The query returns
# the time left, because the clocks of two hosts differ.
_COLUMNS = """
SELECT id, cidr_send(network) AS network, peer_id_prefix, info_hash,
    date_part('epoch', expires_time - clock_timestamp()) AS seconds_left
FROM bans WHERE (expires_time IS NULL OR expires_time > clock_timestamp())
"""
_AFTER = f"{_COLUMNS} AND id > $1 ORDER BY id LIMIT $2"


class PostgresBans(FollowedRows):
    """Keeps the bans fresh. ``current`` is None until they are loaded."""

    channel = BANS_CHANNEL
    load_changed = f"{_COLUMNS} AND id = ANY($1::bigint[])"
    name = "bans"

    def __init__(self, pool: asyncpg.Pool, listener: Listener, metrics: Metrics) -> None:
        super().__init__(pool, listener)
        self._metrics = metrics
        self.current: Bans | None = None
        self._by_id: dict[int, Ban] = {}
        self._new, self._new_by_id = Bans(), dict[int, Ban]()

    async def is_loaded(self) -> bool:
        """Return whether announces can be answered yet."""
        return self.current is not None

    async def pages(self) -> AsyncIterator[Sequence[asyncpg.Record]]:
        """Fetch the rows in the order of their ids."""
        last_id = -(2**63)
        while rows := await self._fetch(_AFTER, last_id, ROWS_AT_ONCE):
            yield rows
            last_id = rows[-1]["id"]

    def begin(self) -> None:
        """Begin to collect all rows."""
        self._new, self._new_by_id = Bans(), {}

    def collect(self, rows: Sequence[asyncpg.Record]) -> None:
        """Add a page to the collection."""
        self._add(self._new, self._new_by_id, rows)

    def replace(self) -> None:
        """Put the collection in the place of what was known."""
        self.current, self._by_id = self._new, self._new_by_id

    def change(self, row_ids: Sequence[int], rows: Sequence[asyncpg.Record]) -> None:
        """Forget the rows with these ids, and add those that are still there."""
        bans = self._new if self.current is None else self.current
        for row_id in row_ids:  # remove all before adding any: a new row may ban the same thing as an old one
            if ban := self._by_id.pop(row_id, None):
                bans.remove(ban)
        self._add(bans, self._by_id, rows)

    def refreshed(self) -> None:
        """Report how many there are."""
        for kind, number in (self.current or self._new).counts.items():
            self._metrics.bans[kind].set(number)

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
