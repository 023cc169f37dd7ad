"""Postgres stores the hash of a key, whoever writes the key: operators, this release or the previous one."""

import asyncio
import sys
import time

import asyncpg
import pytest
from alembic import command

from etracker_migrations.upgrade import alembic_config
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.postgres import PostgresServer, connect

THIS, PREVIOUS = "0015", "0015-1"
ROWS = "SELECT announce_key, key_hash FROM peers ORDER BY id"

# What the previous release sends, word for word.
PREVIOUS_REGISTERS = "INSERT INTO peers (announce_key) VALUES ($1::VARCHAR) RETURNING peers.id"
PREVIOUS_ROTATES = "UPDATE peers SET announce_key=$1::VARCHAR WHERE peers.id = $2::BIGINT"
PREVIOUS_ROTATES_OWN = (
    "UPDATE peers SET announce_key=$1::VARCHAR WHERE peers.key_hash = $2::BYTEA AND peers.disabled_time IS NULL"
)


async def stored(database: asyncpg.Connection) -> list[tuple[str | None, bytes]]:
    return [(row["announce_key"], row["key_hash"]) for row in await database.fetch(ROWS)]


async def insert_in_clear(database: asyncpg.Connection, *keys: str) -> None:
    """Store keys as the previous release left them."""
    await database.execute("ALTER TABLE peers DISABLE TRIGGER peers_identified")
    await database.execute(
        "INSERT INTO peers (announce_key, key_hash) SELECT key, hash_announce_key(key) FROM unnest($1::text[]) key",
        keys,
    )
    await database.execute("ALTER TABLE peers ENABLE TRIGGER peers_identified")


async def test_a_written_key_is_stored_as_its_hash_only(database: asyncpg.Connection) -> None:
    await database.execute("INSERT INTO peers (announce_key) VALUES ('first'), ('second')")
    await database.execute("INSERT INTO peers (announce_key, key_hash) VALUES ('third', $1)", bytes(16))
    await database.execute("UPDATE peers SET announce_key = 'another' WHERE key_hash = hash_announce_key('second')")
    await database.copy_records_to_table("peers", records=[("fourth",)], columns=["announce_key"])
    keys = ("first", "another", "third", "fourth")
    assert await stored(database) == [(None, hash_announce_key(key)) for key in keys]


@pytest.mark.parametrize("key", ["", "k" * 65, "with space", "schlüssel", "back\\slash", "line\n"])
async def test_a_key_of_another_form_is_refused_and_not_repeated(database: asyncpg.Connection, key: str) -> None:
    await database.execute("INSERT INTO peers (announce_key) VALUES ('mine')")
    for statement in ("INSERT INTO peers (announce_key) VALUES ($1)", "UPDATE peers SET announce_key = $1"):
        with pytest.raises(asyncpg.CheckViolationError, match="has 1 to 64 letters, digits") as refusal:
            await database.execute(statement, key)
        assert not key or key not in f"{refusal.value} {refusal.value.detail}"
    assert await stored(database) == [(None, hash_announce_key("mine"))]


async def test_a_key_that_exists_is_refused_whether_it_is_stored_hashed_or_in_clear(
    database: asyncpg.Connection,
) -> None:
    await database.execute("INSERT INTO peers (announce_key) VALUES ('hashed'), ('other')")
    await insert_in_clear(database, "clear")
    for key in ("hashed", "clear"):
        for statement in (
            "INSERT INTO peers (announce_key) VALUES ($1)",
            "UPDATE peers SET announce_key = $1 WHERE key_hash = hash_announce_key('other')",
        ):
            with pytest.raises(asyncpg.UniqueViolationError, match="uq_peers_key_hash") as refusal:
                await database.execute(statement, key)
            assert key not in f"{refusal.value} {refusal.value.detail}".split()
        ignored = await database.execute("INSERT INTO peers (announce_key) VALUES ($1) ON CONFLICT DO NOTHING", key)
        assert ignored == "INSERT 0 0"
    assert await database.fetchval("SELECT count(*) FROM peers") == 3


@pytest.mark.parametrize("row", ["DEFAULT VALUES", "(announce_key) VALUES (NULL)", "(key_hash) VALUES ('short')"])
async def test_a_row_without_a_key_is_refused(database: asyncpg.Connection, row: str) -> None:
    with pytest.raises(asyncpg.NotNullViolationError, match="needs an announce_key"):
        await database.execute(f"INSERT INTO peers {row}")
    await database.execute("INSERT INTO peers (announce_key) VALUES ('mine')")
    with pytest.raises(asyncpg.NotNullViolationError, match="needs an announce_key"):
        await database.execute("UPDATE peers SET key_hash = 'short'")


async def test_the_previous_release_goes_on_writing_keys(database: asyncpg.Connection) -> None:
    await insert_in_clear(database, "clear")
    ids = [await database.fetchval(PREVIOUS_REGISTERS, key) for key in ("first", "second")]
    await database.execute(PREVIOUS_ROTATES, "rotated", ids[0])
    for old, new in (("second", "own"), ("clear", "of-the-old-row")):
        assert await database.execute(PREVIOUS_ROTATES_OWN, new, hash_announce_key(old)) == "UPDATE 1"
    assert await stored(database) == [(None, hash_announce_key(key)) for key in ("of-the-old-row", "rotated", "own")]


async def test_keys_in_clear_are_blanked_in_batches_on_command_and_nobody_is_notified(
    database: asyncpg.Connection, postgres_settings: PostgresSettings
) -> None:
    keys = [f"key-{number}" for number in range(25)]
    await insert_in_clear(database, *keys)
    heard: asyncio.Queue[object] = asyncio.Queue()
    listening = await connect(postgres_settings)
    await listening.add_listener("etracker_keys", lambda *told: heard.put_nowait(told[-1]))
    notices: list[str] = []
    database.add_log_listener(lambda _connection, message: notices.append(message.message))
    await database.execute("CALL blank_announce_keys(10)")
    assert notices == [f"{blanked} announce keys blanked" for blanked in (10, 20, 25)]
    assert await stored(database) == [(None, hash_announce_key(key)) for key in keys]
    await database.execute("INSERT INTO peers (announce_key) VALUES ('last')")
    async with asyncio.timeout(5):
        assert await heard.get() == f'["{hash_announce_key("last").hex()}"]'
    await listening.close()


@pytest.fixture
def earlier(postgres_settings: PostgresSettings) -> PostgresSettings:
    """A database of the previous release, with a key."""
    command.downgrade(alembic_config(postgres_settings.sqlalchemy_url()), PREVIOUS)
    asyncio.run(_execute(postgres_settings, "INSERT INTO peers (announce_key) VALUES ('clear')"))
    return postgres_settings


async def _execute(settings: PostgresSettings, *statements: str) -> list[tuple[str | None, bytes]]:
    database = await connect(settings)
    for statement in statements:
        await database.execute(statement)
    rows = await stored(database)
    await database.close()
    return rows


def test_an_upgrade_leaves_keys_in_clear_and_a_downgrade_keeps_hashed_keys_working(earlier: PostgresSettings) -> None:
    configuration = alembic_config(earlier.sqlalchemy_url())
    command.upgrade(configuration, THIS)
    clear, new = hash_announce_key("clear"), hash_announce_key("new")
    rows = asyncio.run(_execute(earlier, "INSERT INTO peers (announce_key) VALUES ('new')"))
    assert rows == [("clear", clear), (None, new)]
    command.downgrade(configuration, PREVIOUS)
    placeholder = f"hashed-{new.hex()}"
    counted = "UPDATE peers SET uploaded = 7, disabled_time = now()"
    assert asyncio.run(_execute(earlier, counted)) == [("clear", clear), (placeholder, new)]
    command.upgrade(configuration, THIS)
    assert asyncio.run(_execute(earlier, "CALL blank_announce_keys()")) == [(None, clear), (None, new)]


@pytest.mark.parametrize("keys", [1_000, pytest.param(1_000_000, marks=[pytest.mark.full, pytest.mark.timeout(300)])])
def test_an_upgrade_rewrites_no_row(earlier: PostgresSettings, shared_postgres: PostgresServer, keys: int) -> None:
    def sql(statement: str) -> str:
        return shared_postgres.execute(statement, earlier.pgdatabase)

    sql(f"INSERT INTO peers (announce_key) SELECT 'key-' || n FROM generate_series(1, {keys}) n")
    contents = "SELECT pg_relation_filenode('peers'), md5(string_agg(id || ctid::text, '' ORDER BY id)) FROM peers"
    before, started = sql(contents), time.perf_counter()
    command.upgrade(alembic_config(earlier.sqlalchemy_url()), THIS)
    sys.stdout.write(f"migrated {keys} keys in {time.perf_counter() - started:.2f} s\n")
    assert sql(contents) == before
