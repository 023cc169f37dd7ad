"""The migrated schema is what tables.py says, and Postgres tells of changes."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from etracker_shared.agreements.notifications import INFOHASHES_CHANNEL, KEYS_CHANNEL
from etracker_shared.agreements.tables import metadata
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.postgres import Listener
from etracker_shared.plumbing.settings import PostgresSettings


class Heard:
    """Collects what a listener tells."""

    def __init__(self) -> None:
        self.changes: asyncio.Queue[tuple[str, Sequence[bytes] | None]] = asyncio.Queue()

    def __call__(self, channel: str, hashes: Sequence[bytes] | None) -> None:
        self.changes.put_nowait((channel, hashes))

    async def next(self) -> tuple[str, Sequence[bytes] | None]:
        """Wait up to the second that the contract allows."""
        async with asyncio.timeout(1):
            return await self.changes.get()


@pytest.fixture
async def heard(postgres_settings: PostgresSettings) -> AsyncIterator[Heard]:
    """Listen on both channels; the two flushes of the first connection are already taken."""
    heard = Heard()
    task = asyncio.create_task(Listener(postgres_settings, (INFOHASHES_CHANNEL, KEYS_CHANNEL), heard).run())
    assert [await heard.next(), await heard.next()] == [(INFOHASHES_CHANNEL, None), (KEYS_CHANNEL, None)]
    yield heard
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_the_migrated_schema_is_what_the_tables_say(postgres_settings: PostgresSettings) -> None:
    def is_a_table_of_ours(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or not str(name).startswith("traffic_blocks_")  # its partitions

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_name": is_a_table_of_ours})
        return list(compare_metadata(context, metadata))

    engine = create_async_engine(postgres_settings.sqlalchemy_url())
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_migrating_twice_at_once_changes_nothing(postgres_settings: PostgresSettings) -> None:
    environment = {
        **os.environ,
        "PGHOST": postgres_settings.pghost,
        "PGPORT": str(postgres_settings.pgport),
        "PGDATABASE": postgres_settings.pgdatabase,
        "PGUSER": postgres_settings.pguser,
        "PGPASSWORD": postgres_settings.pgpassword.get_secret_value(),
    }
    program = (sys.executable, "-m", "etracker_migrations")
    processes = [await asyncio.create_subprocess_exec(*program, env=environment) for _ in range(2)]
    assert [await process.wait() for process in processes] == [0, 0]


async def test_a_key_inserted_by_hand_has_the_hash_announces_look_for(
    database: asyncpg.Connection, heard: Heard
) -> None:
    await database.execute("INSERT INTO peers (announce_key) VALUES ('by-hand')")
    assert await database.fetchval("SELECT key_hash FROM peers") == hash_announce_key("by-hand")
    assert await heard.next() == (KEYS_CHANNEL, [hash_announce_key("by-hand")])
    await database.execute("DELETE FROM peers")
    assert await heard.next() == (KEYS_CHANNEL, [hash_announce_key("by-hand")])


async def test_a_key_changed_by_hand_gets_its_hash_and_listeners_are_told_both(
    database: asyncpg.Connection, heard: Heard
) -> None:
    await database.execute("INSERT INTO peers (announce_key) VALUES ('before')")
    assert await heard.next() == (KEYS_CHANNEL, [hash_announce_key("before")])
    await database.execute("UPDATE peers SET announce_key = 'after'")
    assert await database.fetchval("SELECT key_hash FROM peers") == hash_announce_key("after")
    assert await heard.next() == (KEYS_CHANNEL, [hash_announce_key("before"), hash_announce_key("after")])


async def test_an_infohash_inserted_with_a_name_only_is_told_to_listeners(
    database: asyncpg.Connection, heard: Heard
) -> None:
    await database.execute("INSERT INTO infohashes (info_hash, name) VALUES ($1, 'by hand')", b"h" * 20)
    assert await heard.next() == (INFOHASHES_CHANNEL, [b"h" * 20])
    await database.execute("UPDATE infohashes SET info_hash = $1", b"i" * 20)
    assert await heard.next() == (INFOHASHES_CHANNEL, [b"h" * 20, b"i" * 20])


async def test_a_large_insert_tells_listeners_to_drop_everything(database: asyncpg.Connection, heard: Heard) -> None:
    await database.executemany(
        "INSERT INTO infohashes (info_hash, name) VALUES ($1, '')", [(bytes([0] * 18 + [1, n]),) for n in range(3)]
    )
    assert await heard.next() == (INFOHASHES_CHANNEL, [bytes([0] * 18 + [1, 0])])
    await database.execute(
        "INSERT INTO infohashes (info_hash)"
        " SELECT decode(lpad(to_hex(n), 40, '0'), 'hex') FROM generate_series(1000, 1200) n"
    )
    changes = [await heard.next() for _ in range(3)]
    assert changes[-1] == (INFOHASHES_CHANNEL, None)


async def test_counters_of_the_worker_tell_nobody(database: asyncpg.Connection, heard: Heard) -> None:
    await database.execute("INSERT INTO infohashes (info_hash) VALUES ($1)", b"h" * 20)
    assert await heard.next() == (INFOHASHES_CHANNEL, [b"h" * 20])
    await database.execute("UPDATE infohashes SET seeders = 5, downloaded = downloaded + 1, last_seen = now()")
    await database.execute("INSERT INTO peers (announce_key) VALUES ('last')")
    assert (await heard.next())[0] == KEYS_CHANNEL
