"""The number of tracked torrents, from the differences that triggers store; the torrents themselves aren't read."""

from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, text

from etracker_admin_api.database import Database, fetch
from etracker_shared.agreements.tables import torrent_counts

MAX_DIFFERENCES = 1000
"""If there are more rows than this, they are replaced by their sum."""

# Several replicas may do this at once: each takes rows that no other replica takes.
_REPLACE_BY_SUM = text("""
WITH gone AS (
    DELETE FROM torrent_counts WHERE id IN (SELECT id FROM torrent_counts FOR UPDATE SKIP LOCKED) RETURNING torrents
)
INSERT INTO torrent_counts (torrents) SELECT sum(torrents) FROM gone HAVING count(*) > 0
""")


class _Sum(NamedTuple):
    differences: int
    torrents: int


class TorrentCounts:
    """Counts the tracked torrents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self) -> int:
        """Return the exact number of tracked torrents.

        Raises:
            PostgresUnavailableError: Postgres is down or too slow.
        """
        async with self._database.transaction() as connection:
            [found] = await fetch(connection, add_up(), _Sum)
            if found.differences > MAX_DIFFERENCES:
                await connection.execute(_REPLACE_BY_SUM)
        return int(found.torrents)


def add_up() -> Select[Any]:
    """Select the number of differences, and the number of torrents that they add up to."""
    total = func.coalesce(func.sum(torrent_counts.c.torrents), 0)
    return select(func.count().label("differences"), total.label("torrents"))
