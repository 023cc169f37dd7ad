"""Alembic's environment: one transaction, one advisory lock, short lock waits.

Services may be at work while their schema changes, and lock the same tables in another order. If Postgres ends the
migration because of that deadlock, nothing has changed, and the migration begins again.
"""

import asyncio

from alembic import context
from alembic.migration import MigrationContext
from sqlalchemy import Connection, pool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from structlog import get_logger

from etracker_migrations.grants import statements
from etracker_shared.agreements.tables import metadata

MIGRATION_LOCK = 0x65747261
"""Advisory lock key ("etra"): two deployments starting at once migrate one after the other."""

ATTEMPTS = 5
DEADLOCK_DETECTED = "40P01"


def _is_newer(connection: Connection) -> bool:
    """Return whether a later release has migrated this database: after a rollback its schema is left as it is."""
    known = {script.revision for script in context.script.walk_revisions()}
    return not known.issuperset(MigrationContext.configure(connection).get_current_heads())


def _migrate(connection: Connection) -> None:
    connection.execute(text("SET lock_timeout = '10s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    if _is_newer(connection):
        get_logger("migrate").warning("schema_is_newer")
        return
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
        for statement in statements(str(connection.engine.url.username)):
            connection.exec_driver_sql(statement)


async def _migrate_once(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(_migrate)


async def _connect_and_migrate() -> None:
    engine = create_async_engine(context.config.attributes["database_url"], poolclass=pool.NullPool)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            await _migrate_once(engine)
            break
        except DBAPIError as error:
            if attempt == ATTEMPTS or getattr(error.orig, "sqlstate", None) != DEADLOCK_DETECTED:
                raise
            get_logger("migrate").info("deadlock", attempt=attempt)
    await engine.dispose()


asyncio.run(_connect_and_migrate())
