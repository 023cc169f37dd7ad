"""The connection to Postgres: bounded waits, one error for all outages, and rows read by column name."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Executable, func, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from etracker_admin_api.errors import PostgresFullError
from etracker_shared.language.outages import PostgresUnavailableError
from etracker_shared.plumbing.database_login import UNAVAILABLE, Login
from etracker_shared.plumbing.pool_metrics import PoolState
from etracker_shared.plumbing.settings import PostgresSettings

DEADLINE_SECONDS = 2.0
"""Limit for an ordinary transaction, including the connection; closing a frozen connection takes 2 s more."""
LONG_DEADLINE_SECONDS = 15.0
"""Limit for lists, counts, large files and one step of pruning."""

POOL_SIZE = 5
MAX_OVERFLOW = 5
_CONNECTING: dict[str, Any] = {
    "timeout": DEADLINE_SECONDS,
    "command_timeout": LONG_DEADLINE_SECONDS,
    "server_settings": {"application_name": "etracker-admin-api"},
}

_DISK_FULL = "53100"
_NO_RESOURCES = "53"
"""The class "insufficient resources" (disk, memory, connections): SQLAlchemy hides the driver's own types."""
_UNDEFINED_TABLE = "42P01"
"""The schema isn't there yet: at the first start of a deployment, migrations create it in a moment."""

ValueT = TypeVar("ValueT")


class Database:
    """An engine whose transactions end in time, with a result or a PostgresUnavailableError."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=partial(Login(settings).connect, **_CONNECTING),
            pool_size=POOL_SIZE,
            max_overflow=MAX_OVERFLOW,
            pool_timeout=DEADLINE_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,  # errors are logged, and an announce key can be a parameter
        )
        self._entered = 0

    @asynccontextmanager
    async def transaction(self, deadline_seconds: float = DEADLINE_SECONDS) -> AsyncIterator[AsyncConnection]:
        """Open a transaction; commit at the end.

        Raises:
            PostgresUnavailableError: Postgres is down or too slow.
        """
        async with self._guarded(), asyncio.timeout(deadline_seconds), self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def session_lock(self, key: int) -> AsyncIterator[bool]:
        """Hold an advisory lock, or yield False if it's taken. No transaction: one would keep Postgres from vacuuming.

        Raises:
            PostgresUnavailableError: Postgres is down.
        """
        async with self._guarded(), self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            held = bool(await connection.scalar(select(func.pg_try_advisory_lock(key))))
            try:
                yield held
            finally:
                if held:
                    await connection.execute(select(func.pg_advisory_unlock(key)))

    async def is_ready(self) -> bool:
        """Return whether Postgres responds and contains our schema."""
        try:
            async with self.transaction() as connection:
                return bool(await connection.scalar(select(func.to_regclass("infohashes").is_not(None))))
        except PostgresUnavailableError:
            return False

    def pool(self) -> PoolState:
        """Return the state of the pool."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)  # noqa: S101 - what an engine of this kind has
        used = pool.checkedout()
        return PoolState(used, pool.checkedin(), max(0, self._entered - used), POOL_SIZE + MAX_OVERFLOW)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _guarded(self) -> AsyncIterator[None]:
        """Translate errors, and count what has a connection or waits for one."""
        self._entered += 1
        try:
            async with _translated():
                yield
        finally:
            self._entered -= 1


async def fetch(
    connection: AsyncConnection,
    statement: Executable,
    kind: Callable[..., ValueT],
    parameters: Mapping[str, object] | None = None,
) -> list[ValueT]:
    """Execute a statement and make a value of each row; columns become arguments by name, never by position."""
    return [kind(**row._asdict()) for row in await connection.execute(statement, parameters)]


async def fetch_first(connection: AsyncConnection, statement: Executable, kind: Callable[..., ValueT]) -> ValueT | None:
    """Execute a statement and make a value of its first row; None if there is none."""
    row: Any = (await connection.execute(statement)).first()
    return None if row is None else kind(**row._asdict())


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except asyncpg.DiskFullError as error:
        raise PostgresFullError from error
    except (*UNAVAILABLE, InterfaceError, OperationalError, PoolTimeoutError) as error:
        raise PostgresUnavailableError from error
    except DBAPIError as error:
        sqlstate = getattr(error.orig, "sqlstate", None) or ""
        if sqlstate == _DISK_FULL:
            raise PostgresFullError from error
        if error.connection_invalidated or sqlstate == _UNDEFINED_TABLE or sqlstate.startswith(_NO_RESOURCES):
            raise PostgresUnavailableError from error
        raise
