"""Reads settings from the environment, and explains what is wrong with invalid ones.

Variables are those of the original tracker (``PGHOST``, ``ETRACKER_REDIS``, ...) plus new ones that
start with ``ETRACKER_``. Each is described once, where it is declared; those that two services read are declared here.
``make settings`` lists them all in ``docs/data.md``.
"""

import dataclasses
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import quote

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from etracker_shared.agreements.anomalies import DetectionMode
from etracker_shared.agreements.database_roles import DatabaseRole
from etracker_shared.agreements.policies import DEFAULT_POLICY, PolicyName
from etracker_shared.language.addresses import Network, parse_networks
from etracker_shared.plumbing.redis_urls import check_redis_url, socket_path
from etracker_shared.plumbing.setting_variables import variable_name

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def _networks(value: object) -> object:
    return parse_networks(value) if isinstance(value, str) else value


Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
"""Networks, separated by spaces or commas."""


def _either(names: Iterable[str]) -> str:
    *most, last = (f"`{name}`" for name in names)
    return f"{', '.join(most)} or {last}"


class EnvironmentSettings(BaseSettings):
    """Base of every settings class: reads ``ETRACKER_`` variables, and treats empty ones as unset.

    Unknown variables belong to other services and are ignored, unless they begin with the name of a parameter group.
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
    """The address of Postgres, in libpq's own variables. ``database_role``: the role of the service, if it has one."""

    database_role: ClassVar[DatabaseRole | None] = None

    pghost: str = Field(
        "localhost",
        validation_alias=AliasChoices("PGHOST", "pghost"),
        description="Host name, address or socket directory of Postgres.",
    )
    pgport: int = Field(
        5432, validation_alias=AliasChoices("PGPORT", "pgport"), ge=1, le=65535, description="Port of Postgres."
    )
    pgdatabase: str = Field(
        "etracker", validation_alias=AliasChoices("PGDATABASE", "pgdatabase"), description="Name of the database."
    )
    pguser: str = Field(
        "etracker",
        validation_alias=AliasChoices("PGUSER", "pguser"),
        description="Postgres user, who owns the tracker's tables.",
    )
    pgpassword: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("PGPASSWORD", "pgpassword"),
        description="Password of the Postgres user, from which those of the services' roles are derived.",
    )
    postgres_roles: bool = Field(
        True,  # noqa: FBT003
        description="Whether migrations create a Postgres role for each service, `<PGUSER>_announce` for example, and "
        "services use it instead of `PGUSER`.",
    )

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

    redis_url: str = Field(
        "redis://localhost:6379/0",
        description="URL of Redis or of a node of a Redis Cluster: `redis://`, `rediss://` (TLS) or, for a Unix "
        "socket, `unix:///path?db=0`.",
    )
    redis: SecretStr = Field(SecretStr(""), description="Password of Redis, unless the URL of Redis contains one.")
    redis_cluster: bool = Field(False, description="Whether the URL of Redis names a node of a Redis Cluster.")  # noqa: FBT003

    @field_validator("redis_url")
    @classmethod
    def _is_usable(cls, value: str) -> str:
        return check_redis_url(value)

    @field_validator("redis_cluster")
    @classmethod
    def _has_hosts(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - a validator
        if value and socket_path(str(info.data.get("redis_url", ""))):
            raise ValueError("a Redis Cluster can't be reached through the Unix socket in ETRACKER_REDIS_URL")
        return value


class LoggingSettings(EnvironmentSettings):
    """How much a program logs."""

    log_level: str = Field(
        "info",
        pattern="^(debug|info|warning|error)$",
        description="Least severe level that is logged: `debug`, `info`, `warning` or `error`.",
    )


class ServingSettings(LoggingSettings):
    """Where a service listens."""

    listen_host: str = Field(
        "0.0.0.0",  # noqa: S104 - a container's port is published by its deployment
        description="Address that a service, or the gateway with `make run`, listens on.",
    )
    listen_port: int = Field(8080, ge=0, le=65535, description="Port that a service listens on; 0 picks a free one.")


class ObservationSettings(EnvironmentSettings):
    """Where announce can be observed; for several processes behind one port, the first of them."""

    observation_host: str = Field(
        "0.0.0.0",  # noqa: S104 - a deployment doesn't publish it
        description="Address on which announce serves its health, metrics and settings.",
    )
    observation_port: int = Field(
        8090,
        ge=0,
        le=65535,
        description="Port, not to be published, on which announce serves its health, metrics and settings; 0 picks a "
        "free one.",
    )


class AnnounceUrls(StrEnum):
    """Where announce URLs lead on plain HTTP: to announce's own public port, or to the gateway."""

    DIRECT = "direct"
    GATEWAY = "gateway"


class AnnouncePortSettings(EnvironmentSettings):
    """The port of announce URLs on plain HTTP, and how many processes share it."""

    announce_port: int = Field(
        3001,
        ge=0,
        le=65535,
        description="Announce's own public port, which announce URLs name on plain HTTP; 0 closes it, so that "
        "announces come only through the gateway.",
    )
    announce_replicas: int = Field(
        1,
        ge=1,
        le=64,
        description="Number of announce processes, which share the public port, but not the observation port.",
    )


class PublicPortSettings(AnnouncePortSettings):
    """Where the public port is opened."""

    announce_host: str = Field("", description="Address of announce's public port; by default every interface.")


class AnnounceUrlSettings(AnnouncePortSettings):
    """Which announce URLs users are given."""

    announce_urls: AnnounceUrls = Field(
        AnnounceUrls.DIRECT,
        description="Port in announce URLs on plain HTTP: announce's own (`direct`) or the gateway's (`gateway`); "
        "over HTTPS it is always the gateway's.",
    )

    @property
    def direct_port(self) -> int | None:
        """The port in announce URLs on plain HTTP; None for the gateway's."""
        return self.announce_port or None if self.announce_urls is AnnounceUrls.DIRECT else None


class GatewaySettings(EnvironmentSettings):
    """How clients reach a service: under the tracker's public name, through trusted proxies."""

    frontend_hostname: str = Field(
        "localhost",
        description="Public host name of the tracker, optionally with `https://` or `http://` and a port; "
        "the gateway gets a certificate for a public one.",
    )
    trusted_proxies: Networks = Field(
        parse_networks("127.0.0.0/8 ::1"),
        description="Networks of proxies whose `X-Forwarded-*` headers are believed, separated by spaces or commas.",
    )


class ScoringAddressSettings(EnvironmentSettings):
    """Where the scoring API is."""

    scoring_url: str = Field(
        "http://localhost:8081", pattern=r"^https?://[^\s,]+$", description="URL of the scoring API."
    )


class AllowlistSettings(EnvironmentSettings):
    """Whether there is an allowlist."""

    disable_allowlist: bool = Field(
        False,  # noqa: FBT003
        description="Whether to track any torrent instead of only those on the allowlist.",
    )


class IntervalSettings(EnvironmentSettings):
    """How often clients announce."""

    interval_seconds: int = Field(
        1800,
        ge=60,
        le=86400,
        description="Announce interval in seconds, before a jitter of up to 10 % either way.",
    )


class DetectionSettings(EnvironmentSettings):
    """What is done about anomalies."""

    detection: DetectionMode = Field(
        DetectionMode.OBSERVE,
        description="Whether broken and cheating clients are looked for, and what is done about them: `off`, `observe` "
        "(operators see them) or `enforce` (others are kept from them, and recipients warned).",
    )


class PolicySettings(IntervalSettings):
    """Settings that announce and the scoring API must agree on, so that granted shares suit the policy."""

    policy: PolicyName = Field(
        DEFAULT_POLICY, description=f"Policy that selects the peers in a list: {_either(PolicyName)}."
    )

    @field_validator("policy", mode="before")
    @classmethod
    def _is_a_policy(cls, name: object) -> object:
        if name not in [*PolicyName]:
            raise ValueError(f"it must be one of {', '.join(PolicyName)}")
        return name


def _no_such_variable(group: str, name: str, known: list[str]) -> str:
    (nearest,) = get_close_matches(name, known, n=1, cutoff=0.0)
    prefix = variable_name(f"{group}_")
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
