"""What an operator may set for ``make run``."""

from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from etracker_shared.settings import EnvironmentSettings

WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


class StackSettings(EnvironmentSettings):
    """Settings of the stack itself; everything else in the environment goes on to the services.

    ``listen_host`` is where the gateway listens, by default on all interfaces, IPv4 and IPv6.
    ``announce_host`` is where announce listens; 127.0.0.1 keeps it behind the gateway.
    ``announce_port`` is the first replica's, the others follow; 0 takes free ones.
    ``redis_server`` is the program to start as Redis instead of the one that comes as a package.
    ``redis_url`` and ``pghost``, when set, name servers to use instead of starting some.
    """

    model_config = SettingsConfigDict(validate_default=True)

    backend_port: int = Field(3000, ge=1, le=65535)
    data_dir: Path = Path(".data")
    frontend_hostname: str = ""
    authorization: SecretStr | None = None
    announce_replicas: int = Field(1, ge=1, le=64)
    scoring_workers: int = Field(1, ge=1, le=16)
    announce_host: str = "127.0.0.1"
    announce_port: int = Field(0, ge=0, le=65535)
    listen_host: str = ""
    redis: SecretStr | None = None
    redis_server: Path | None = None
    redis_url: str | None = None
    pghost: str | None = Field(None, validation_alias="PGHOST")

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path, _: ValidationInfo) -> Path:
        return value.expanduser().absolute()
