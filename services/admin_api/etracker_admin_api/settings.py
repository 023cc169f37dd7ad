"""The settings of the admin API."""

import re
import stat
from pathlib import Path
from typing import ClassVar

from limits import RateLimitItem, parse
from pydantic import Field, SecretStr, ValidationInfo, field_validator

from etracker_admin_api.api_keys import check_api_key
from etracker_admin_api.http.announce_urls import HOST
from etracker_shared.agreements.database_roles import DatabaseRole
from etracker_shared.plumbing.settings import (
    AnnounceUrlSettings,
    DetectionSettings,
    GatewaySettings,
    PostgresSettings,
    RedisSettings,
    ScoringAddressSettings,
    ServingSettings,
)

MAX_KEY_FILE_BYTES = 4096

_HOSTNAME = re.compile(f"(https?://)?{HOST}/?")

_URLS = r"^https?://[^\s,]+([\s,]+https?://[^\s,]+)*$"


class AdminSettings(
    PostgresSettings,
    RedisSettings,
    ServingSettings,
    GatewaySettings,
    AnnounceUrlSettings,
    ScoringAddressSettings,
    DetectionSettings,
):
    """Settings of the admin API. Without an API key in a variable or a file, the restricted API is off."""

    database_role: ClassVar[DatabaseRole] = DatabaseRole.ADMIN_API

    authorization: SecretStr = Field(
        SecretStr(""),
        description="API key of the first operator, at least 16 characters; without it the restricted API is off.",
    )
    authorization_file: str = Field(
        "",
        description="Path of a file with the first operator's API key, set by `make run`; changes to the "
        "file apply at once.",
    )
    key_limit: str = Field("20/hour", description="Number of announce keys that one address may generate per period.")
    failure_limit: str = Field(
        "30/minute",
        description="Number of wrong API or announce keys per period after which an address has to wait.",
    )
    download_limit: str = Field(
        "120/minute",
        description="Number of torrent files that each announce key and each address may download per period.",
    )
    downloads_at_once: int = Field(
        8,
        ge=1,
        le=1000,
        description="Number of torrent files that each announce key and each address may download at the same time.",
    )
    write_timeout_seconds: int = Field(
        30,
        ge=1,
        le=600,
        description="Seconds after which a client that reads next to nothing of its response is disconnected.",
    )
    recovery_days: float = Field(
        7.0,
        gt=0,
        le=90,
        description="Days for which the old key can undo a rotation without a recovery code, and for which a key's "
        "holders can object to a request for a code.",
    )
    sample_seconds: int = Field(
        60,
        ge=1,
        le=60,
        description="Seconds between two samples of the tracker's statistics, from which charts are drawn.",
    )
    announce_url: str = Field(
        "http://localhost:8090",
        pattern=_URLS,
        description="URL of announce's observation port, or several separated by spaces or commas; after a single "
        "one's port come those of its other replicas.",
    )
    worker_url: str = Field(
        "http://localhost:8083",
        pattern=_URLS,
        description="URL of the scoring worker, or several separated by spaces or commas.",
    )
    listen_port: int = Field(8082, ge=0, le=65535)

    @field_validator("authorization")
    @classmethod
    def _check_key(cls, value: SecretStr) -> SecretStr:
        key = value.get_secret_value()
        return SecretStr(check_api_key(key)) if key else value

    @field_validator("authorization_file")
    @classmethod
    def _check_key_file(cls, value: str, info: ValidationInfo) -> str:
        given = info.data.get("authorization")
        if value and given is not None and given.get_secret_value():
            raise ValueError("ETRACKER_AUTHORIZATION is set too, and only one of them can contain the API key")
        if value:
            read_api_key(value)
        return value

    @field_validator("frontend_hostname")
    @classmethod
    def _check_hostname(cls, value: str) -> str:
        if value and not _HOSTNAME.fullmatch(value):
            raise ValueError(
                "must be a host name, optionally with a scheme and port, such as https://tracker.example:443"
            )
        return value.rstrip("/")

    @field_validator("key_limit", "failure_limit", "download_limit")
    @classmethod
    def _check_limit(cls, value: str) -> str:
        parse(value)
        return value

    @property
    def services(self) -> dict[str, str]:
        """The other services' addresses by name."""
        announce = _numbered("announce", _with_replicas(self.announce_url, self.announce_replicas))
        workers = _numbered("scoring_worker", self.worker_url)
        return {**announce, "scoring": self.scoring_url, **workers}

    @property
    def key_rate(self) -> RateLimitItem:
        """The limit of key generation, parsed."""
        return parse(self.key_limit)

    @property
    def download_rate(self) -> RateLimitItem:
        """The limit of downloads, parsed."""
        return parse(self.download_limit)

    @property
    def failure_rate(self) -> RateLimitItem:
        """The limit of wrong keys, parsed."""
        return parse(self.failure_limit)


def read_api_key(path: str) -> str:
    """Read the API key in a file.

    Raises:
        ValueError: there is no such file, or it contains no usable key.
    """
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise ValueError("it isn't a file")
        with Path(path).open("rb") as file:
            content = file.read(MAX_KEY_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"the file can't be read ({error.strerror})") from None
    if len(content) > MAX_KEY_FILE_BYTES:
        raise ValueError("the file is too large for an API key")
    try:
        return check_api_key(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("the file isn't UTF-8 text") from None


def _with_replicas(url: str, replicas: int) -> str:
    """Return the URLs of all replicas, which use consecutive ports; several URLs are complete already."""
    found = re.fullmatch(r"(https?://[^\s,]+:)(\d+)", url)
    return " ".join(f"{found[1]}{int(found[2]) + number}" for number in range(replicas)) if found else url


def _numbered(name: str, urls: str) -> dict[str, str]:
    """Return replicas by name and number; a single one needs no number."""
    listed = urls.replace(",", " ").split()
    if len(listed) == 1:
        return {name: listed[0]}
    return {f"{name}-{number}": url for number, url in enumerate(listed, start=1)}
