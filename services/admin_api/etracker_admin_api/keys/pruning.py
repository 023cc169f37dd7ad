"""Pruning of abandoned announce keys, and of recovery codes that were asked for and never fetched."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, bindparam, cast, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog import get_logger

from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.metrics import Metrics
from etracker_shared.agreements.tables import key_rotations, peers, recovery_requests

IDLE_MONTHS = 3
"""Keys created and last used longer ago than this are abandoned."""
FORGOTTEN_DAYS = 120
"""Requests for a recovery code, and rotations, older than this: longer than any of them can matter."""
PRUNE_EVERY_SECONDS = 24 * 3600
PRUNE_LOCK = 0x65747270
"""Advisory lock key ("etrp"): one replica prunes at a time."""
STEP_KEYS = 2000
"""Keys per transaction."""

log = get_logger("admin_api")

_columns = peers.c


class KeyPruner:
    """Deletes abandoned keys with everything that belongs to them; totals of torrents stay.

    With several replicas, one prunes at a time, under an advisory lock. Each step has a transaction of its own.
    """

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics

    async def run(self) -> None:
        """Prune at once, and then every day.

        Raises:
            PostgresUnavailableError: Postgres went down; what was deleted stays deleted.
        """
        while True:
            pruned = await self.prune()
            if pruned is not None:
                self._metrics.pruned.inc(pruned)
                log.info("keys_pruned", keys=pruned)
            await asyncio.sleep(PRUNE_EVERY_SECONDS)

    async def prune(self) -> int | None:
        """Delete abandoned keys; return how many, or None if another replica is doing it."""
        async with self._database.session_lock(PRUNE_LOCK) as held:
            return await self._prune_all() if held else None

    async def _prune_all(self) -> int:
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            await connection.execute(delete(recovery_requests).where(_is_old(recovery_requests.c.requested_time)))
            undone = key_rotations.c.undone_time.is_not(None)  # another rotation then takes the code, however long ago
            await connection.execute(delete(key_rotations).where(_is_old(key_rotations.c.at), ~undone))
        total, reached = 0, 0
        while (step := await self._prune_step(reached)) is not None:
            reached, pruned = step
            total += pruned
        return total

    async def _prune_step(self, after: int) -> tuple[int, int] | None:
        """Look at the next keys after an id; return the last one's id and how many were deleted. None at the end."""
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            reached = await _reach(connection, after)
            if reached is None:
                return None
            cutoff = func.now() - func.make_interval(0, cast(bindparam("months", IDLE_MONTHS), Integer))
            abandoned = (
                delete(peers)
                .where(_columns.id > after, _columns.id <= reached)
                .where(_columns.created_time < cutoff)
                .where(func.coalesce(_columns.last_seen, _columns.created_time) < cutoff)
            )
            return reached, (await connection.execute(abandoned)).rowcount


def _is_old(moment: ColumnElement[datetime]) -> ColumnElement[bool]:
    return moment < func.now() - timedelta(days=FORGOTTEN_DAYS)


async def _reach(connection: AsyncConnection, after: int) -> int | None:
    window = select(_columns.id).where(_columns.id > after).order_by(_columns.id).limit(STEP_KEYS).subquery()
    reached: int | None = await connection.scalar(select(func.max(window.c.id)))
    return reached
