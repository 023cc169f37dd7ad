"""What an operator may set for ``make run``."""

import re
from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from etracker_shared.language.addresses import parse_networks
from etracker_shared.plumbing.redis_urls import check_redis_url
from etracker_shared.plumbing.settings import AnnounceUrlSettings, PublicPortSettings
from etracker_stack.memory import LEAST_REDIS_BYTES, MIB, available_memory

WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


LEAST_API_KEY_CHARACTERS = 16
FEW_API_KEY_CHARACTERS = 20
MEBIBYTE = 2**20
LOOPBACK_NETWORKS = "127.0.0.0/8,::1/128"


class StackSettings(AnnounceUrlSettings, PublicPortSettings):
    """Settings of the stack itself; the services get their own from the environment (``environment.py``).

    Settings without a description belong to the services but have a different default here. ``redis_url`` and
    ``pghost``, if set, name servers that are used instead of the embedded ones.
    """

    model_config = SettingsConfigDict(validate_default=True)

    backend_port: int = Field(
        3000, ge=1, le=65535, description="Public port of the tracker, on which the gateway listens."
    )
    data_dir: Path = Field(Path(".data"), description="Directory in which `make run` keeps everything.")
    frontend_hostname: str = ""
    trusted_proxies: str = LOOPBACK_NETWORKS
    gateway_trusted_proxies: str = Field(
        LOOPBACK_NETWORKS,
        description="Networks of your own proxies in front of the tracker, which name their clients in "
        "`X-Forwarded-For` or with the PROXY protocol.",
    )
    authorization: SecretStr | None = None
    scoring_workers: int = Field(
        1,
        ge=1,
        le=16,
        description="Number of scoring workers that `make run` starts, which share the shards of the fact stream.",
    )
    listen_host: str = ""
    log_max_bytes: int = Field(
        32 * MEBIBYTE,
        ge=MEBIBYTE,
        description="Maximum disk space in bytes for the logs of one process with `make run`, older files included.",
    )
    redis: SecretStr | None = None
    redis_maxmemory: int | None = Field(
        None,
        description="Memory for the data of the tracker's own Redis, in bytes or as `512mb` or `2gb`; by default a "
        "quarter of the machine's with `make run`, half of the container's with compose.",
    )
    redis_server: Path | None = Field(
        None, description="Path of the program that `make run` starts as Redis instead of the one it installs."
    )
    redis_url: str | None = None
    pghost: str | None = Field(None, validation_alias="PGHOST")

    @field_validator("redis_maxmemory", mode="before")
    @classmethod
    def _is_a_size(cls, value: object) -> object:
        return _parse_size(value) if isinstance(value, str) else value

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis_url(cls, value: str | None) -> str | None:
        return value and check_redis_url(value)

    @field_validator("trusted_proxies", "gateway_trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        parse_networks(value)
        return value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path, _: ValidationInfo) -> Path:
        return value.expanduser().absolute()

    @field_validator("authorization")
    @classmethod
    def _is_an_api_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().strip().isprintable():
            raise ValueError("an API key may contain letters, digits, spaces and punctuation only")
        if value is not None and len(value.get_secret_value().strip()) < LEAST_API_KEY_CHARACTERS:
            raise ValueError(f"an API key has at least {LEAST_API_KEY_CHARACTERS} characters")
        return value


def _parse_size(text: str) -> int:
    """Parse a size as redis.conf does: 1k is 1000 bytes, 1kb is 1024."""
    found = re.fullmatch(r"(\d+)([kmg]?)(b?)", text.strip().lower())
    if found is None:
        raise ValueError("it must be a number of bytes, or one like 512mb or 2gb")
    number, unit, binary = found.groups()
    size = int(number) * int((1024 if binary else 1000) ** " kmg".index(unit or " "))
    if size < LEAST_REDIS_BYTES:
        raise ValueError(f"it must be at least {LEAST_REDIS_BYTES // MIB}mb")
    if size >= (available := available_memory()):
        raise ValueError(f"it must be less than the available memory, {available // MIB}mb")
    return size
