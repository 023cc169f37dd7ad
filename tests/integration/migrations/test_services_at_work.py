"""A migration and a service lock the same tables in different orders: the migration begins again, and nobody fails."""

import asyncio

import asyncpg
from alembic import command

from etracker_migrations.upgrade import alembic_config
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.waiting import eventually

WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def test_a_migration_that_loses_a_deadlock_begins_again(
    postgres_settings: PostgresSettings, database: asyncpg.Connection
) -> None:
    async def migration_waits() -> bool:
        await database.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees what it saw first
        return bool(await database.fetchval(WAITS))

    # Postgres ends whoever has waited for this long when it sees the deadlock: the migration.
    await database.execute(f"ALTER DATABASE \"{postgres_settings.pgdatabase}\" SET deadlock_timeout = '2s'")
    await database.execute("SET deadlock_timeout = '1h'")
    async with database.transaction():
        await database.execute("DELETE FROM recovery_codes")
        migration = asyncio.create_task(
            asyncio.to_thread(command.downgrade, alembic_config(postgres_settings.sqlalchemy_url()), "0015")
        )
        await eventually(migration_waits, "the migration waits for a lock")
        await database.execute("DELETE FROM prefix_credits")
        assert not migration.done()
    await migration
    assert await database.fetchval("SELECT to_regclass('prefix_credits')") is None
