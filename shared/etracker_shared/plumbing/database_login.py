"""How a service signs in to Postgres: as its own role, or as the user in its settings where there is no such role."""

from typing import Any

import asyncpg
from structlog import get_logger

from etracker_shared.agreements.database_roles import role_name, role_password
from etracker_shared.plumbing.settings import PostgresSettings

UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # starting, shutting down, crashed
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a query on a connection that the server has ended, before asyncpg noticed
    TimeoutError,
)
"""What a query raises while Postgres is down or starting."""

log = get_logger("postgres")


class Login:
    """Opens connections for one service. A missing role is noticed once, and then no longer tried."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._shared = settings.asyncpg_arguments()
        self._own = _own_arguments(settings)

    async def connect(self, _dsn: str | None = None, **options: Any) -> asyncpg.Connection:
        """Open a connection with asyncpg's ``options``.

        Raises:
            asyncpg.PostgresError: neither the role nor the user may sign in.
        """
        if not self._own:
            return await _connect(options, self._shared)
        try:
            return await _connect(options, self._own)
        except UNAVAILABLE:
            raise
        except asyncpg.PostgresError as error:
            refusal = type(error).__name__
        connection = await _connect(options, self._shared)
        log.warning("database_role_refused", role=self._own["user"], used=self._shared["user"], error=refusal)
        self._own = {}
        return connection


async def _connect(options: dict[str, Any], where: dict[str, Any]) -> asyncpg.Connection:
    connection: asyncpg.Connection = await asyncpg.connect(**{**options, **where})
    return connection


def _own_arguments(settings: PostgresSettings) -> dict[str, Any]:
    if settings.database_role is None or not settings.postgres_roles:
        return {}
    name = role_name(settings.pguser, settings.database_role)
    password = role_password(settings.pgpassword.get_secret_value(), name)
    return {**settings.asyncpg_arguments(), "user": name, "password": password or None}
