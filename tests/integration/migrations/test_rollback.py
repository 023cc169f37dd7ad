"""A release that is older than the database's schema leaves it alone: it is started again after a rollback."""

import asyncio

import asyncpg

from etracker_migrations.upgrade import upgrade
from etracker_shared.plumbing.settings import PostgresSettings


async def test_a_schema_of_a_later_release_is_left_as_it_is(
    postgres_settings: PostgresSettings, database: asyncpg.Connection
) -> None:
    await database.execute("UPDATE alembic_version SET version_num = '9999'")
    await database.execute("DROP TABLE totals CASCADE")  # as that release may have done
    await asyncio.to_thread(upgrade, postgres_settings)
    assert await database.fetchval("SELECT version_num FROM alembic_version") == "9999"
    assert await database.fetchval("SELECT to_regclass('totals')") is None
