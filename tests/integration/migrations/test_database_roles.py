"""Each service has a Postgres role of its own, which may do what that service does and nothing else."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from pydantic import SecretStr

from etracker_admin_api.settings import AdminSettings
from etracker_announce.settings import AnnounceSettings
from etracker_migrations.grants import GRANTS
from etracker_scoring.settings import ScoringSettings, WorkerSettings
from etracker_shared.agreements.database_roles import DatabaseRole, role_name, role_password
from etracker_shared.agreements.tables import metadata
from etracker_shared.plumbing.database_login import Login
from etracker_shared.plumbing.settings import PostgresSettings
from etracker_stack.postgres_programs import packaged_programs
from etracker_stack.restore import restore
from tests.support.postgres import PostgresServer, cloned_database, connect, running_postgres

PASSWORD = "a b'\"$x${y}%41@/#:\\é😀"
SERVICES: dict[DatabaseRole, type[PostgresSettings]] = {
    DatabaseRole.ANNOUNCE: AnnounceSettings,
    DatabaseRole.SCORING: ScoringSettings,
    DatabaseRole.SCORING_WORKER: WorkerSettings,
    DatabaseRole.ADMIN_API: AdminSettings,
}
FORBIDDEN = {
    DatabaseRole.ANNOUNCE: (
        "INSERT INTO peers (announce_key) VALUES ('mine')",
        "UPDATE peers SET uploaded = 2",
        "SELECT announce_key FROM peers",
        "SELECT * FROM peers",
        "SELECT key_hash FROM operators",
        "SELECT file FROM infohashes",
        "INSERT INTO infohashes (info_hash) VALUES (repeat('x', 20)::bytea)",
        "DELETE FROM bans",
        "SELECT 1 FROM announces",
    ),
    DatabaseRole.SCORING: (
        "SELECT value FROM secrets",
        "SELECT key_hash FROM operators",
        "SELECT claim_hash FROM recovery_requests",
        "SELECT announce_key FROM peers",
        "UPDATE peers SET tier = 4",
    ),
    DatabaseRole.SCORING_WORKER: (
        "SELECT announce_key FROM peers",
        "UPDATE peers SET key_hash = repeat('x', 16)::bytea",
        "INSERT INTO peers (announce_key) VALUES ('mine')",
        "DELETE FROM peers",
        "SELECT code_hash FROM recovery_codes",
        "SELECT key_hash FROM operators",
        "SELECT file FROM infohashes",
        "DELETE FROM bans",
    ),
    DatabaseRole.ADMIN_API: (
        "DELETE FROM audit_log",
        "UPDATE audit_log SET action = 'nothing'",
        "TRUNCATE audit_log",
        "DELETE FROM operators",
        "SELECT announce_key FROM peers",
        "UPDATE secrets SET value = ''",
    ),
}
FORBIDDEN_TO_ALL = (
    "CREATE TABLE mine (id int)",
    "DROP TABLE peers",
    "CREATE ROLE mine",
    "CALL blank_announce_keys()",
    "COPY bans TO PROGRAM 'true'",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT rolpassword FROM pg_authid",
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres(PASSWORD) as server:
        yield server


@pytest.fixture
def where(server: PostgresServer) -> Iterator[PostgresSettings]:
    with cloned_database(server) as settings:
        yield settings


@asynccontextmanager
async def signed_in(role: DatabaseRole, where: PostgresSettings) -> AsyncIterator[asyncpg.Connection]:
    """Sign in as the service does."""
    connection = await Login(SERVICES[role].model_validate(where.model_dump())).connect(timeout=5.0)
    try:
        yield connection
    finally:
        await connection.close()


async def user_of(role: DatabaseRole, where: PostgresSettings) -> str:
    async with signed_in(role, where) as connection:
        return str(await connection.fetchval("SELECT current_user"))


async def run(where: PostgresSettings, statement: str) -> None:
    connection = await connect(where)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def migrate(where: PostgresSettings) -> str:
    """Migrate as an operator does, and return the log."""
    known = {name.upper(): str(value) for name, value in where.model_dump(exclude={"pgpassword"}).items()}
    variables = {**os.environ, **known, "PGPASSWORD": where.pgpassword.get_secret_value()}
    command = [sys.executable, "-m", "etracker_migrations"]
    done = subprocess.run(command, env=variables, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


async def test_each_service_signs_in_as_its_own_role(where: PostgresSettings) -> None:
    assert [await user_of(role, where) for role in DatabaseRole] == [f"etracker_{role}" for role in DatabaseRole]
    unwanted = where.model_copy(update={"postgres_roles": False})
    assert {await user_of(role, unwanted) for role in DatabaseRole} == {"etracker"}


@pytest.mark.parametrize("role", DatabaseRole)
async def test_a_role_may_do_nothing_that_its_service_doesnt_do(role: DatabaseRole, where: PostgresSettings) -> None:
    statements = [*FORBIDDEN[role], *FORBIDDEN_TO_ALL]
    async with signed_in(role, where) as connection:
        assert [one for one in statements if not await is_forbidden(connection, one)] == []


async def is_forbidden(connection: asyncpg.Connection, statement: str) -> bool:
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    return False


async def test_of_the_audit_log_only_counts_of_reads_may_change(where: PostgresSettings) -> None:
    insert = "INSERT INTO audit_log (operator, action, target, detail, request_id, read_hour)"
    async with signed_in(DatabaseRole.ADMIN_API, where) as connection:
        for action, hour in (("delete_key", "NULL"), ("read_peers", "now()")):
            await connection.execute(f"{insert} VALUES ('first', '{action}', 'x', '{{\"a\": 1}}', 'r', {hour})")
        change = "UPDATE audit_log SET detail = '{}' WHERE action = '%s'"
        assert not await is_forbidden(connection, change % "read_peers")
        assert await is_forbidden(connection, change % "delete_key")
        details = await connection.fetch("SELECT detail FROM audit_log ORDER BY id")
    assert [json.loads(row["detail"]) for row in details] == [{"a": 1}, {}]


def test_each_table_is_granted_to_somebody() -> None:
    """A new table needs a line in the grants, or no service can use it."""
    granted = {grant.table for grants in GRANTS.values() for grant in grants if not grant.table.endswith("*")}
    assert granted == {table.name for table in metadata.sorted_tables}


def test_no_role_has_a_privilege_on_a_table_that_doesnt_exist(server: PostgresServer) -> None:
    named = {grant.table for grants in GRANTS.values() for grant in grants if not grant.table.endswith("*")}
    tables = server.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')", "migrated").split()
    assert named <= set(tables)


async def test_migrating_renews_grants_also_on_tables_that_were_made_again(where: PostgresSettings) -> None:
    await run(where, "REVOKE ALL ON infohashes FROM etracker_announce; GRANT DELETE ON peers TO etracker_announce")
    await run(where, "ALTER TABLE secrets RENAME TO old; CREATE TABLE secrets (LIKE old); DROP TABLE old")
    migrate(where)
    async with signed_in(DatabaseRole.ANNOUNCE, where) as connection:
        assert await connection.fetch("SELECT info_hash FROM infohashes") == []
        assert await connection.fetch("SELECT value FROM secrets") == []
        assert await is_forbidden(connection, "DELETE FROM peers")
        assert await is_forbidden(connection, "CREATE TEMPORARY TABLE mine (id int)")


async def test_a_new_password_of_the_owner_is_a_new_password_of_every_role() -> None:
    with running_postgres("the first password") as server:
        before = server.settings("migrated")
        after = before.model_copy(update={"pgpassword": SecretStr("another 'password'")})
        await run(before, "ALTER ROLE etracker PASSWORD 'another ''password'''")
        assert await user_of(DatabaseRole.SCORING, after) == "etracker"  # until it has been migrated
        migrate(after)
        assert [await user_of(role, after) for role in DatabaseRole] == [f"etracker_{role}" for role in DatabaseRole]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await user_of(DatabaseRole.SCORING, before)


async def test_where_roles_cant_be_created_one_sentence_says_so_and_services_use_the_owners(
    server: PostgresServer,
) -> None:
    server.execute("CREATE ROLE tenant LOGIN PASSWORD 'modest'")
    server.execute("CREATE DATABASE managed OWNER tenant")
    where = PostgresSettings.model_validate(
        {**server.settings("managed").model_dump(), "pguser": "tenant", "pgpassword": "modest"}
    )
    (warning,) = [json.loads(line) for line in migrate(where).splitlines() if "no_database_roles" in line]
    assert warning["level"] == "warning"
    assert warning["message"] == "tenant may not create roles, so all services use this user."
    for role in DatabaseRole:
        async with signed_in(role, where) as connection:
            assert await connection.fetchval("SELECT current_user") == "tenant"
            assert await connection.fetch("SELECT * FROM operators") == []


async def test_an_owner_who_may_create_roles_but_is_no_superuser_makes_them(server: PostgresServer) -> None:
    server.execute("CREATE ROLE landlord LOGIN CREATEROLE PASSWORD 'modest'")
    server.execute("CREATE DATABASE rented OWNER landlord")
    where = PostgresSettings.model_validate(
        {**server.settings("rented").model_dump(), "pguser": "landlord", "pgpassword": "modest"}
    )
    for _ in range(2):
        migrate(where)
    async with signed_in(DatabaseRole.ANNOUNCE, where) as connection:
        assert await connection.fetchval("SELECT current_user") == "landlord_announce"
        assert len(await connection.fetch("SELECT value FROM secrets")) == 1
        assert await is_forbidden(connection, "SELECT * FROM operators")


def test_names_of_roles_fit_and_differ_and_nobody_has_a_password_that_can_be_guessed() -> None:
    owner = "ö" * 31
    names = {role_name(owner, role) for role in DatabaseRole}
    assert len(names) == len(DatabaseRole)
    assert max(len(name.encode()) for name in names) <= 63
    assert role_password("", "etracker_announce") == ""
    assert len({role_password("secret", name) for name in names} | {role_password("other", names.pop())}) == 5


def test_a_backup_with_grants_is_restored_on_a_server_that_has_no_roles(server: PostgresServer) -> None:
    programs = packaged_programs().directory
    backup = subprocess.run(
        [programs / "pg_dump", "--format=custom"], env=variables_for(server), check=True, capture_output=True
    ).stdout
    assert b"etracker_announce" in backup
    with running_postgres(PASSWORD) as other:
        drop = "; ".join(f"DROP OWNED BY etracker_{role}; DROP ROLE etracker_{role}" for role in DatabaseRole)
        other.execute(drop, "migrated")
        piped = subprocess.run(
            [sys.executable, "-c", RESTORE], input=backup, env=variables_for(other), check=False, capture_output=True
        )
        assert piped.returncode == 0, piped.stderr
        migrate(other.settings("migrated"))
        assert asyncio.run(user_of(DatabaseRole.ANNOUNCE, other.settings("migrated"))) == "etracker_announce"


RESTORE = f"""
import os, sys
from pathlib import Path
from {restore.__module__} import restore
from {packaged_programs.__module__} import packaged_programs
sys.exit(not restore(packaged_programs().directory, os.environ))
"""


def variables_for(server: PostgresServer) -> dict[str, str]:
    where = server.settings("migrated")
    address = {"PGHOST": where.pghost, "PGPORT": str(where.pgport), "PGDATABASE": where.pgdatabase}
    return {**os.environ, **address, "PGUSER": where.pguser, "PGPASSWORD": PASSWORD}
