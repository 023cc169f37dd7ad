"""Announce keys in Postgres, and their pruning."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import Integer, LargeBinary, any_, bindparam, cast, delete, func, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.adapters.batches import Batches
from etracker_admin_api.adapters.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.ports import PruneSession, PruneStep
from etracker_shared.identity import hash_announce_key
from etracker_shared.tables import peers

PRUNE_LOCK = 0x65747270
"""Advisory lock key ("etrp"): one replica prunes at a time."""
STEP_KEYS = 2000
"""Keys looked at in one transaction."""

_columns = peers.c


class PostgresKeys:
    """Reads and writes ``peers``; triggers tell every announce replica of each change."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._registered: Batches[bytes, bool] = Batches(self._find)

    async def register(self, announce_key: str) -> None:
        """See the port."""
        async with self._database.transaction() as connection:
            await connection.execute(insert(peers).values(announce_key=announce_key))

    async def is_registered(self, announce_key: str) -> bool:
        """See the port. Asks by the key's hash, so that no log of Postgres ever shows the key."""
        return bool(await self._registered.find(hash_announce_key(announce_key)))

    async def _find(self, key_hashes: Sequence[bytes]) -> Mapping[bytes, bool]:
        given = any_(literal(key_hashes, ARRAY(LargeBinary)))
        working = select(_columns.key_hash).where(_columns.key_hash == given, _columns.disabled_time.is_(None))
        async with self._database.transaction() as connection:
            return {bytes(key_hash): True for key_hash in await connection.scalars(working)}


class PostgresPruner:
    """Prunes under an advisory lock, each step in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def session(self) -> AsyncIterator[PruneSession | None]:
        """See the port."""
        async with self._database.session_lock(PRUNE_LOCK) as held:
            yield self if held else None

    async def step(self, after: int, idle_months: int) -> PruneStep:
        """See the port."""
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            reached = await _reach(connection, after)
            if reached is None:
                return PruneStep(None, 0)
            cutoff = func.now() - func.make_interval(0, cast(bindparam("months", idle_months), Integer))
            abandoned = (
                delete(peers)
                .where(_columns.id > after, _columns.id <= reached)
                .where(_columns.created_time < cutoff)
                .where(func.coalesce(_columns.last_seen, _columns.created_time) < cutoff)
            )
            return PruneStep(reached, (await connection.execute(abandoned)).rowcount)


async def _reach(connection: AsyncConnection, after: int) -> int | None:
    window = select(_columns.id).where(_columns.id > after).order_by(_columns.id).limit(STEP_KEYS).subquery()
    reached: int | None = await connection.scalar(select(func.max(window.c.id)))
    return reached
