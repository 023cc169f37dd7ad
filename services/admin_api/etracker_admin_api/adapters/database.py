"""The connection to Postgres: bounded waits, and one error for all the ways of being down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from etracker_admin_api.ports import DatabaseFullError, DatabaseUnavailableError
from etracker_shared.postgres import UNAVAILABLE
from etracker_shared.settings import PostgresSettings

DEADLINE_SECONDS = 2.0
"""How long an ordinary unit of work may take, connecting included; closing a frozen connection takes 2 s more."""
LONG_DEADLINE_SECONDS = 15.0
"""The same for counting and for a step of listing or pruning."""

_DISK_FULL = "53100"
_NO_RESOURCES = "53"
"""The class of having no disk, memory or connection left; the driver's own types get lost in SQLAlchemy's."""
_UNDEFINED_TABLE = "42P01"
"""Not migrated yet: the first start of a deployment, over in a moment."""


class Database:
    """An engine whose transactions end in time, with a result or with DatabaseUnavailableError."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._engine: AsyncEngine = create_async_engine(
            settings.sqlalchemy_url(),
            pool_size=5,
            max_overflow=5,
            pool_timeout=DEADLINE_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,  # an announce key is one; errors are logged
            connect_args={
                "timeout": DEADLINE_SECONDS,
                "command_timeout": LONG_DEADLINE_SECONDS,
                "server_settings": {"application_name": "etracker-admin-api"},
            },
        )

    @asynccontextmanager
    async def transaction(self, deadline_seconds: float = DEADLINE_SECONDS) -> AsyncIterator[AsyncConnection]:
        """Open a transaction; commit at the end.

        Raises:
            DatabaseUnavailableError: Postgres is down or too slow.
        """
        async with _translated(), asyncio.timeout(deadline_seconds), self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def session_lock(self, key: int) -> AsyncIterator[bool]:
        """Hold an advisory lock without a transaction that would keep Postgres from vacuuming; False if it's taken.

        Raises:
            DatabaseUnavailableError: Postgres is down.
        """
        async with _translated(), self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            held = bool(await connection.scalar(select(func.pg_try_advisory_lock(key))))
            try:
                yield held
            finally:
                if held:
                    await connection.execute(select(func.pg_advisory_unlock(key)))

    async def is_ready(self) -> bool:
        """Tell whether Postgres answers and holds our schema."""
        try:
            async with self.transaction() as connection:
                return bool(await connection.scalar(select(func.to_regclass("infohashes").is_not(None))))
        except DatabaseUnavailableError:
            return False

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except asyncpg.DiskFullError as error:
        raise DatabaseFullError from error
    except (*UNAVAILABLE, InterfaceError, OperationalError, PoolTimeoutError) as error:
        raise DatabaseUnavailableError from error
    except DBAPIError as error:
        sqlstate = getattr(error.orig, "sqlstate", None) or ""
        if sqlstate == _DISK_FULL:
            raise DatabaseFullError from error
        if error.connection_invalidated or sqlstate == _UNDEFINED_TABLE or sqlstate.startswith(_NO_RESOURCES):
            raise DatabaseUnavailableError from error
        raise
