"""Settings plumbing: read from the environment, refused with a sentence when wrong.

Variables are those of the original tracker (``PGHOST``, ``ETRACKER_REDIS``, ...) plus new ones that
start with ``ETRACKER_``; ``docs/data.md`` lists them all.
"""

import sys
from typing import TypeVar
from urllib.parse import quote

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


class EnvironmentSettings(BaseSettings):
    """Base of every settings class: ``ETRACKER_`` variables, unknown ones ignored, empty ones unset."""

    model_config = SettingsConfigDict(
        env_prefix="ETRACKER_", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )


class PostgresSettings(EnvironmentSettings):
    """Where Postgres is: libpq's own variables."""

    pghost: str = Field("localhost", validation_alias=AliasChoices("PGHOST", "pghost"))
    pgport: int = Field(5432, validation_alias=AliasChoices("PGPORT", "pgport"), ge=1, le=65535)
    pgdatabase: str = Field("etracker", validation_alias=AliasChoices("PGDATABASE", "pgdatabase"))
    pguser: str = Field("etracker", validation_alias=AliasChoices("PGUSER", "pguser"))
    pgpassword: SecretStr = Field(SecretStr(""), validation_alias=AliasChoices("PGPASSWORD", "pgpassword"))

    def sqlalchemy_url(self) -> str:
        """Return the URL SQLAlchemy's asyncpg dialect wants; it holds the password: never log it."""
        password = quote(self.pgpassword.get_secret_value(), safe="")
        user = quote(self.pguser, safe="")
        database = quote(self.pgdatabase, safe="")
        host = quote(self.pghost, safe="/")
        return f"postgresql+asyncpg://{user}:{password}@/{database}?host={host}&port={self.pgport}"


class RedisSettings(EnvironmentSettings):
    """Where Redis is. ``redis`` is the password, as the original named it."""

    redis_url: str = "redis://localhost:6379/0"
    redis: SecretStr = SecretStr("")
    redis_cluster: bool = False


class ServingSettings(EnvironmentSettings):
    """Where a service listens and how loudly it speaks."""

    listen_host: str = "0.0.0.0"  # noqa: S104 - a container's port is published by its deployment
    listen_port: int = Field(8080, ge=0, le=65535)
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")


def load_settings(settings: type[SettingsT]) -> SettingsT:
    """Read settings from the environment, or end the process with one sentence a wrong variable.

    Values never appear in the message: some are secrets.

    Raises:
        SystemExit: with status 78 (EX_CONFIG) when a variable is wrong.
    """
    try:
        return settings()
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"])
            variable = name if name.isupper() else f"ETRACKER_{name.upper()}"
            print(
                f"etracker: the setting {variable} is wrong: {problem['msg'].removeprefix('Value error, ')}.",
                file=sys.stderr,
            )
        raise SystemExit(78) from None
