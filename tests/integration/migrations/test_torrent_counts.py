"""torrent_counts adds up to the number of torrents, whatever is done to infohashes and by whom."""

import asyncio

import asyncpg
from alembic import command

from etracker_migrations.upgrade import alembic_config
from etracker_shared.plumbing.settings import PostgresSettings

_CHANGES = {
    "one by hand": "INSERT INTO infohashes (info_hash, name) VALUES (decode(repeat('01', 20), 'hex'), 'by hand')",
    "three at once": """INSERT INTO infohashes (info_hash)
        SELECT decode(repeat(lpad(n::text, 2, '0'), 20), 'hex') FROM generate_series(2, 4) n""",
    "one that is there": """INSERT INTO infohashes (info_hash) VALUES (decode(repeat('01', 20), 'hex'))
        ON CONFLICT DO NOTHING""",
    "another infohash of the first": """INSERT INTO infohashes (info_hash, same_as)
        SELECT decode(repeat('f1', 20), 'hex'), min(id) FROM infohashes""",
    "one that turns out to be the second's": """UPDATE infohashes SET same_as = (SELECT min(id) + 1 FROM infohashes)
        WHERE info_hash = decode(repeat('04', 20), 'hex')""",
    "and to be another's, and counted": "UPDATE infohashes SET same_as = 1, seeders = 5 WHERE same_as IS NOT NULL",
    "statistics": "UPDATE infohashes SET seeders = seeders + 1, downloaded = downloaded + 1",
    "one that wasn't after all": """UPDATE infohashes SET same_as = NULL
        WHERE info_hash = decode(repeat('04', 20), 'hex')""",
    "none": "DELETE FROM infohashes WHERE name = 'nothing is called so'",
    "one with its other infohash": "DELETE FROM infohashes WHERE id = 1",
    "two": "DELETE FROM infohashes WHERE id IN (SELECT id FROM infohashes ORDER BY id LIMIT 2)",
    "everything": "TRUNCATE infohashes CASCADE",
    "one again": "INSERT INTO infohashes (info_hash) VALUES (decode(repeat('05', 20), 'hex'))",
}


async def counted(database: asyncpg.Connection) -> tuple[int, int]:
    """Return what the differences add up to, and what there is."""
    row = await database.fetchrow(
        "SELECT (SELECT coalesce(sum(torrents), 0)::int FROM torrent_counts),"
        " (SELECT count(*)::int FROM infohashes WHERE same_as IS NULL)"
    )
    assert row is not None
    return row[0], row[1]


async def test_every_kind_of_change_is_counted(database: asyncpg.Connection) -> None:
    seen = []
    for name, change in _CHANGES.items():
        await database.execute(change)
        noted, there = await counted(database)
        assert noted == there, name
        seen.append(there)
    assert seen == [1, 4, 4, 4, 3, 3, 3, 4, 4, 3, 1, 0, 1]


async def test_what_is_rolled_back_isn_t_counted(database: asyncpg.Connection) -> None:
    transaction = database.transaction()
    await transaction.start()
    await database.execute(_CHANGES["three at once"])
    await transaction.rollback()
    assert await counted(database) == (0, 0)


async def test_somebody_who_may_write_to_infohashes_only_is_counted_too(database: asyncpg.Connection) -> None:
    await database.execute("CREATE ROLE clerk")
    try:
        await database.execute("GRANT INSERT, SELECT ON infohashes TO clerk; SET ROLE clerk")
        await database.execute(_CHANGES["three at once"])
        await database.execute("RESET ROLE")
        assert await counted(database) == (3, 3)
    finally:
        await database.execute("RESET ROLE; DROP OWNED BY clerk; DROP ROLE clerk")


async def test_what_was_there_before_the_upgrade_is_counted(
    postgres_settings: PostgresSettings, database: asyncpg.Connection
) -> None:
    configuration = alembic_config(postgres_settings.sqlalchemy_url())
    await asyncio.to_thread(command.downgrade, configuration, "0005")
    await database.execute(_CHANGES["three at once"] + ";" + _CHANGES["another infohash of the first"])
    await asyncio.to_thread(command.upgrade, configuration, "head")
    assert await counted(database) == (3, 3)
