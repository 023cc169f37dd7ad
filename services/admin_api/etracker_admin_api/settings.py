"""What an operator can set for the admin API."""

import re
import stat
from pathlib import Path

from limits import RateLimitItem, parse
from pydantic import Field, SecretStr, ValidationInfo, field_validator

from etracker_admin_api.api_keys import check_api_key
from etracker_admin_api.http.announce_urls import HOST
from etracker_shared.language.addresses import Network, parse_networks
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings, ServingSettings

MAX_KEY_FILE_BYTES = 4096

_HOSTNAME = re.compile(f"(https?://)?{HOST}/?")

_URL = r"^https?://[^\s,]+$"
_URLS = r"^https?://[^\s,]+([\s,]+https?://[^\s,]+)*$"


class AdminSettings(PostgresSettings, RedisSettings, ServingSettings):
    """``ETRACKER_`` variables, and libpq's.

    ``authorization``: the first operator's API key; ``authorization_file``: a file that holds it. Without either the
    restricted API is off. ``frontend_hostname``: the
    tracker's public name in announce URLs, optionally with ``https://`` or ``http://`` and a port;
    empty, or localhost, takes the request's host. ``trusted_proxies``: networks whose ``X-Forwarded-*`` headers are
    believed. ``key_limit``: announce keys an address may generate. ``failure_limit``: wrong keys an address may give.
    ``download_limit``: torrent files a key, and an address, may download; ``downloads_at_once``: how many of them at
    the same time. ``write_timeout_seconds``: after how long a client is disconnected that doesn't read its answer.
    ``sample_seconds``: how often the tracker's numbers are stored for charts. ``announce_url`` (several, separated by
    spaces or commas), ``scoring_url``, ``worker_url``: where the other services are.
    """

    authorization: SecretStr = SecretStr("")
    authorization_file: str = ""
    frontend_hostname: str = ""
    trusted_proxies: str = "127.0.0.0/8, ::1"
    key_limit: str = "20/hour"
    failure_limit: str = "30/minute"
    download_limit: str = "120/minute"
    downloads_at_once: int = Field(8, ge=1, le=1000)
    write_timeout_seconds: int = Field(30, ge=1, le=600)
    sample_seconds: int = Field(60, ge=1, le=60)
    announce_url: str = Field("http://localhost:8090", pattern=_URLS)
    scoring_url: str = Field("http://localhost:8081", pattern=_URL)
    worker_url: str = Field("http://localhost:8083", pattern=_URLS)
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

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: str) -> str:
        parse_networks(value)
        return value

    @field_validator("key_limit", "failure_limit", "download_limit")
    @classmethod
    def _check_limit(cls, value: str) -> str:
        parse(value)
        return value

    @property
    def services(self) -> dict[str, str]:
        """The other services' addresses by name."""
        announce, workers = _numbered("announce", self.announce_url), _numbered("scoring_worker", self.worker_url)
        return {**announce, "scoring": self.scoring_url, **workers}

    @property
    def trusted_networks(self) -> tuple[Network, ...]:
        """The trusted proxies, parsed."""
        return parse_networks(self.trusted_proxies)

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


def _numbered(name: str, urls: str) -> dict[str, str]:
    """Return replicas by name and number; a single one needs no number."""
    listed = urls.replace(",", " ").split()
    if len(listed) == 1:
        return {name: listed[0]}
    return {f"{name}-{number}": url for number, url in enumerate(listed, start=1)}
