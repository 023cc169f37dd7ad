"""What an operator can set about the announce service."""

from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from etracker_announce.domain.addresses import PrivatePeers
from etracker_announce.domain.policies import DEFAULT_POLICY, POLICIES, EquilibriumParameters
from etracker_shared.language.addresses import Address, Network, parse_address, parse_networks
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings, ServingSettings

MAX_HOSTNAME_BYTES = 88
"""What is left of the 127 bytes that every client shows, after the text that contains the host name."""
MAX_NUMWANT = 50
LIFETIME_SLACK_SECONDS = 300


def _networks(value: object) -> object:
    return parse_networks(value) if isinstance(value, str) else value


def _addresses(value: object) -> object:
    return tuple(map(parse_address, value.replace(",", " ").split())) if isinstance(value, str) else value


def _lists(value: object) -> object:
    """Split "120 7200" into two values, with "all" as None; pydantic does the rest."""
    if not isinstance(value, dict):
        return value
    return {name: _list(text) if isinstance(text, str) else text for name, text in value.items()}


def _list(text: str) -> object:
    words = text.replace(",", " ").split()
    return [None if word == "all" else word for word in words] if len(words) > 1 else text


class AnnounceSettings(ServingSettings, PostgresSettings, RedisSettings):
    """The variables are ``ETRACKER_`` and the name in capitals; ``equilibrium`` has one for each parameter.

    ``sweep_seconds``: pause between two visits of the sweeper to a swarm. ``sweep_budget``: visits per second of all
    replicas together. ``stream_max_bytes``: past it regular facts are dropped.
    """

    model_config = SettingsConfigDict(env_nested_delimiter="_", env_nested_max_split=1)

    observation_host: str = "0.0.0.0"  # noqa: S104 - a deployment doesn't publish it
    observation_port: int = Field(8090, ge=0, le=65535)
    frontend_hostname: str = Field("localhost", pattern=r"^[!-~]+$", max_length=MAX_HOSTNAME_BYTES)
    scoring_url: str = Field("http://localhost:8081", pattern=r"^https?://")
    guests: bool = True
    policy: str = DEFAULT_POLICY
    equilibrium: Annotated[EquilibriumParameters, BeforeValidator(_lists)] = Field(EquilibriumParameters())
    disable_allowlist: bool = False
    new_hashes_per_hour: int = Field(100, ge=1)
    interval_seconds: int = Field(1800, ge=60, le=86400)
    min_interval_seconds: int = Field(900, ge=1, validate_default=True)
    numwant: int = Field(MAX_NUMWANT, ge=1, le=MAX_NUMWANT)
    peers_per_key: int = Field(5, ge=1, le=100)
    private_peers: PrivatePeers = PrivatePeers.PRIVATE_ASKERS
    external_ip: Annotated[tuple[Address, ...], NoDecode, BeforeValidator(_addresses)] = Field(
        (),
        description="the tracker's own public addresses, one IPv4 and one IPv6 address at most: peers on its own "
        "network are given out with them to everybody outside of it",
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = parse_networks(
        "127.0.0.0/8 ::1"
    )
    sweep_seconds: int = Field(900, ge=60, le=15_300)
    sweep_budget: int = Field(500, ge=1)
    stream_max_bytes: int = Field(2 * 1024**3, ge=1024**2)
    tier_cache_seconds: int = Field(1800, ge=1)
    tier_cache_entries: int = Field(262_144, ge=1)
    allowlist_cache_entries: int = Field(262_144, ge=1)

    @field_validator("policy")
    @classmethod
    def _is_a_policy(cls, name: str) -> str:
        if name not in POLICIES:
            raise ValueError(f"it must be one of {', '.join(POLICIES)}")
        return name

    @field_validator("external_ip")
    @classmethod
    def _one_a_family(cls, addresses: tuple[Address, ...]) -> tuple[Address, ...]:
        if len({address.version for address in addresses}) < len(addresses):
            raise ValueError("there can be one IPv4 and one IPv6 address")
        return addresses

    @field_validator("min_interval_seconds")
    @classmethod
    def _minimum_is_less(cls, seconds: int, others: ValidationInfo) -> int:
        if seconds > others.data.get("interval_seconds", seconds):
            raise ValueError("it must not exceed ETRACKER_INTERVAL_SECONDS")
        return seconds

    @property
    def peer_lifetime_seconds(self) -> int:
        """How long a peer stays after its last announce: two intervals and some slack."""
        return 2 * self.interval_seconds + LIFETIME_SLACK_SECONDS
