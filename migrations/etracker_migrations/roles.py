"""Creates the role of each service. What they may do with the tables is in ``grants``."""

import asyncio
import base64
import hashlib
import hmac
import secrets

import asyncpg
from structlog import get_logger

from etracker_shared.agreements.database_roles import DatabaseRole, role_name, role_password
from etracker_shared.plumbing.settings import PostgresSettings

_ITERATIONS = 4096
_ATTEMPTS = 5
_RACES = (asyncpg.UniqueViolationError, asyncpg.DuplicateObjectError, asyncpg.InternalServerError)
"""Raised when another database of the same server is migrated at this moment."""

_STATEMENT = """
SELECT format('%s ROLE %I LOGIN PASSWORD %s',
    CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = $1) THEN 'ALTER' ELSE 'CREATE' END,
    $1::text, coalesce(quote_literal($2::text), 'NULL'))
"""

log = get_logger("migrate")


async def make_roles(settings: PostgresSettings) -> None:
    """Create the roles, or renew their passwords. If that isn't allowed, warn: services then use the owner's."""
    if not settings.postgres_roles:
        return
    connection = await asyncpg.connect(**settings.asyncpg_arguments())
    try:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await _make_roles(connection, settings)
                break
            except _RACES:
                if attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(0.05 * attempt)
    except asyncpg.PostgresError as error:
        log.warning(
            "no_database_roles",
            error=type(error).__name__,
            message=f"{settings.pguser} may not create roles, so all services use this user.",
        )
    finally:
        await connection.close()


async def _make_roles(connection: asyncpg.Connection, settings: PostgresSettings) -> None:
    async with connection.transaction():
        for role in DatabaseRole:
            name = role_name(settings.pguser, role)
            password = role_password(settings.pgpassword.get_secret_value(), name)
            statement = await connection.fetchval(_STATEMENT, name, _verifier(password) if password else None)
            await connection.execute(statement)


def _verifier(password: str) -> str:
    """Return what Postgres stores of a password, so that the password itself is in no statement, which may be logged.

    Source: RFC 5802 and 7677, in the form of ``pg_authid.rolpassword``.
    """
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(_ITERATIONS, *parts)
