"""Counting the users of each client: at most once an hour, by one replica, in short steps over the keys.

A step has all sessions of some keys, so the numbers of keys in all steps add up.
"""

import asyncio
from collections.abc import Mapping

from sqlalchemy import delete, func, insert, select, text
from structlog import get_logger

from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.peer_ids import CLIENT_BYTES
from etracker_shared.agreements.anomaly_tables import client_counts
from etracker_shared.agreements.tables import peers

COUNT_EVERY_SECONDS = 3600
LOOK_SECONDS = 300
DAYS = 30
"""Sessions that announced within this time count."""
STEP_KEYS = 2000
PAUSE_SECONDS = 0.1
"""Between two steps, so that counting takes little of Postgres at any moment."""
MOST_CLIENTS = 5000
"""Clients that are stored, those with most keys: a peer_id may contain anything."""
COUNT_LOCK = 0x6574636C
"""Advisory lock key ("etcl"): one replica counts at a time."""

log = get_logger("admin_api")

_columns = client_counts.c

_STEP = text(
    """
SELECT substring(peer_id, 1, :length) AS prefix, count(DISTINCT key_id) AS key_count, count(*) AS session_count
FROM announces
WHERE key_id > :after AND key_id <= :last AND last_seen > now() - make_interval(days => :days)
GROUP BY 1
"""
).bindparams(length=CLIENT_BYTES, days=DAYS)


class ClientCounter:
    """Counts the keys and sessions of each client. ``step_keys``, ``most_clients``: as the constants."""

    def __init__(self, database: Database, step_keys: int = STEP_KEYS, most_clients: int = MOST_CLIENTS) -> None:
        self._database = database
        self._step_keys = step_keys
        self._most_clients = most_clients

    async def run(self) -> None:
        """Count whenever the last count is an hour old.

        Raises:
            PostgresUnavailableError: Postgres went down.
        """
        while True:
            if await self._is_due():
                async with self._database.session_lock(COUNT_LOCK) as held:
                    if held and await self._is_due():
                        await self.count()
            await asyncio.sleep(LOOK_SECONDS)

    async def count(self) -> None:
        """Count, and replace the last count.

        Raises:
            PostgresUnavailableError: Postgres went down.
        """
        counts: dict[bytes, tuple[int, int]] = {}
        after = 0
        while (last := await self._reach(after)) is not None:
            _add(counts, await self._count_step(after, last))
            _trim(counts, self._most_clients)
            after = last
            await asyncio.sleep(PAUSE_SECONDS)
        await self._store(counts)
        log.info("clients_counted", clients=len(counts))

    async def _is_due(self) -> bool:
        newest = select(
            func.max(_columns.counted_time) < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, COUNT_EVERY_SECONDS)
        )
        async with self._database.transaction() as connection:
            return bool(await connection.scalar(select(func.coalesce(newest.scalar_subquery(), True))))

    async def _reach(self, after: int) -> int | None:
        keys = select(peers.c.id).where(peers.c.id > after).order_by(peers.c.id).limit(self._step_keys).subquery()
        async with self._database.transaction() as connection:
            last: int | None = await connection.scalar(select(func.max(keys.c.id)))
        return last

    async def _count_step(self, after: int, last: int) -> Mapping[bytes, tuple[int, int]]:
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            rows = await connection.execute(_STEP, {"after": after, "last": last})
            return {bytes(row.prefix): (row.key_count, row.session_count) for row in rows}

    async def _store(self, counts: Mapping[bytes, tuple[int, int]]) -> None:
        most_used = sorted(counts, key=lambda prefix: counts[prefix], reverse=True)[: self._most_clients]
        rows = [
            {"prefix": prefix, "key_count": counts[prefix][0], "session_count": counts[prefix][1]}
            for prefix in most_used
        ]
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            await connection.execute(delete(client_counts))
            # An empty row says when nothing was counted, too; no client has a peer_id of no bytes.
            await connection.execute(
                insert(client_counts), [{"prefix": b"", "key_count": 0, "session_count": 0}, *rows]
            )


def _add(counts: dict[bytes, tuple[int, int]], step: Mapping[bytes, tuple[int, int]]) -> None:
    for prefix, (keys, sessions) in step.items():
        known_keys, known_sessions = counts.get(prefix, (0, 0))
        counts[prefix] = (known_keys + keys, known_sessions + sessions)


def _trim(counts: dict[bytes, tuple[int, int]], most_clients: int) -> None:
    """Keep the clients with most keys so far when somebody makes up peer_ids."""
    if len(counts) > 4 * most_clients:
        for prefix in sorted(counts, key=lambda prefix: counts[prefix])[: len(counts) - 2 * most_clients]:
            del counts[prefix]
