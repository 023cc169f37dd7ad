"""Reads settings from the environment, and explains what is wrong with invalid ones.

Variables are those of the original tracker (``PGHOST``, ``ETRACKER_REDIS``, ...) plus new ones that
start with ``ETRACKER_``; ``docs/data.md`` lists them all.
"""

import dataclasses
import sys
from difflib import get_close_matches
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


class EnvironmentSettings(BaseSettings):
    """Base of every settings class: ``ETRACKER_`` variables, empty ones unset.

    Unknown ones belong to other services and are ignored, except those that begin like a group of parameters.
    """

    model_config = SettingsConfigDict(
        env_prefix="ETRACKER_", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _holds_known_parameters(cls, value: Any, info: ValidationInfo) -> Any:
        group = cls.model_fields[str(info.field_name)].annotation
        if dataclasses.is_dataclass(group) and isinstance(value, dict):
            known = [parameter.name for parameter in dataclasses.fields(group)]
            unknown = [_no_such_variable(str(info.field_name), name, known) for name in value if name not in known]
            if unknown:
                raise ValueError("; ".join(unknown))
        return value


class PostgresSettings(EnvironmentSettings):
    """The address of Postgres, in libpq's own variables."""

    pghost: str = Field("localhost", validation_alias=AliasChoices("PGHOST", "pghost"))
    pgport: int = Field(5432, validation_alias=AliasChoices("PGPORT", "pgport"), ge=1, le=65535)
    pgdatabase: str = Field("etracker", validation_alias=AliasChoices("PGDATABASE", "pgdatabase"))
    pguser: str = Field("etracker", validation_alias=AliasChoices("PGUSER", "pguser"))
    pgpassword: SecretStr = Field(SecretStr(""), validation_alias=AliasChoices("PGPASSWORD", "pgpassword"))

    def asyncpg_arguments(self) -> dict[str, Any]:
        """Return asyncpg's connection arguments. They include the password: never log them."""
        return {
            "host": self.pghost,
            "port": self.pgport,
            "user": self.pguser,
            "password": self.pgpassword.get_secret_value() or None,
            "database": self.pgdatabase,
        }

    def sqlalchemy_url(self) -> str:
        """Return the URL for SQLAlchemy's asyncpg dialect. It contains the password: never log it."""
        password = quote(self.pgpassword.get_secret_value(), safe="")
        user = quote(self.pguser, safe="")
        database = quote(self.pgdatabase, safe="")
        host = quote(self.pghost, safe="/")
        return f"postgresql+asyncpg://{user}:{password}@/{database}?host={host}&port={self.pgport}"


class RedisSettings(EnvironmentSettings):
    """The address of Redis. ``redis`` is the password, as in the original tracker."""

    redis_url: str = "redis://localhost:6379/0"
    redis: SecretStr = SecretStr("")
    redis_cluster: bool = False


class ServingSettings(EnvironmentSettings):
    """The address a service listens on, and its log level."""

    listen_host: str = "0.0.0.0"  # noqa: S104 - a container's port is published by its deployment
    listen_port: int = Field(8080, ge=0, le=65535)
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")


def _no_such_variable(group: str, name: str, known: list[str]) -> str:
    (nearest,) = get_close_matches(name, known, n=1, cutoff=0.0)
    prefix = f"ETRACKER_{group}_".upper()
    return f"there is no {prefix}{name.upper()}, the nearest is {prefix}{nearest.upper()}"


def load_settings(settings: type[SettingsT]) -> SettingsT:
    """Read settings from the environment, or end the process with one sentence per wrong variable.

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
