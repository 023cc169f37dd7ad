"""What an operator can set about the announce service."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from etracker_announce.domain.addresses import PrivatePeers
from etracker_announce.domain.policies import EquilibriumParameters
from etracker_shared.agreements.database_roles import DatabaseRole
from etracker_shared.language.addresses import Address, parse_address
from etracker_shared.plumbing.settings import (
    AllowlistSettings,
    DetectionSettings,
    GatewaySettings,
    Networks,
    ObservationSettings,
    PolicySettings,
    PostgresSettings,
    RedisSettings,
    ScoringAddressSettings,
    ServingSettings,
)

MAX_HOSTNAME_BYTES = 88
"""What the text around the host name leaves of the 127 bytes that every client shows."""
MAX_NUMWANT = 50
LIFETIME_SLACK_SECONDS = 300


def _addresses(value: object) -> object:
    return tuple(map(parse_address, value.replace(",", " ").split())) if isinstance(value, str) else value


def _words(value: object) -> object:
    return value.split() if isinstance(value, str) else value


def _lists(value: object) -> object:
    """Split "120 7200" into two values, with "all" as None; pydantic does the rest."""
    if not isinstance(value, dict):
        return value
    return {name: _list(text) if isinstance(text, str) else text for name, text in value.items()}


def _list(text: str) -> object:
    words = text.replace(",", " ").split()
    return [None if word == "all" else word for word in words] if len(words) > 1 else text


Descriptors = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_words)]
"""File descriptors, separated by spaces."""


class AnnounceSettings(
    ServingSettings,
    ObservationSettings,
    PostgresSettings,
    RedisSettings,
    GatewaySettings,
    ScoringAddressSettings,
    AllowlistSettings,
    DetectionSettings,
    PolicySettings,
):
    """Settings of the announce service; ``equilibrium`` has one variable for each parameter."""

    database_role: ClassVar[DatabaseRole] = DatabaseRole.ANNOUNCE

    model_config = SettingsConfigDict(env_nested_delimiter="_", env_nested_max_split=1)

    listen_sockets: Descriptors = Field(
        (),
        description="Descriptors of the listening sockets that the parent process opened for announce, used instead of "
        "its own.",
    )
    public_sockets: Descriptors = Field(
        (), description="Descriptors of the listening sockets that the parent process opened on announce's public port."
    )
    announce_trusted_proxies: Networks = Field(
        (),
        description="Networks of your own proxies in front of announce's public port, which name their clients in "
        "`X-Forwarded-For` or with the PROXY protocol; by default nobody is believed there.",
    )
    frontend_hostname: str = Field("localhost", pattern=r"^[!-~]+$", max_length=MAX_HOSTNAME_BYTES)
    guests: bool = Field(True, description="Whether announces without a key are served.")  # noqa: FBT003
    equilibrium: Annotated[EquilibriumParameters, BeforeValidator(_lists)] = Field(EquilibriumParameters())
    new_hashes_per_hour: int = Field(
        100,
        ge=1,
        description="Maximum number of new infohashes per hour from one address prefix while the allowlist is off.",
    )
    min_interval_seconds: int = Field(
        900,
        ge=1,
        validate_default=True,
        description="Minimum announce interval in seconds, which rtorrent and aria2 use as their interval.",
    )
    numwant: int = Field(MAX_NUMWANT, ge=1, le=MAX_NUMWANT, description="Maximum number of peers in a list.")
    peers_per_key: int = Field(
        5, ge=1, le=100, description="Maximum number of active clients of one announce key in a torrent."
    )
    peers_per_address: int = Field(
        16,
        ge=1,
        le=255,
        description="Maximum number of peers per IPv4 address or IPv6 /64 in one swarm; beyond it, the peer that has "
        "been silent longest is dropped.",
    )
    guests_per_minute: int = Field(
        30,
        ge=1,
        le=255,
        description=(
            "Maximum number of new guests that one swarm stores per minute from an IPv4 address or IPv6 /64; others are"
            " only answered."
        ),
    )
    shared_networks: Networks = Field(
        (),
        description=(
            "Networks whose addresses many people share, as at universities and mobile carriers: peers per address are"
            " not limited there."
        ),
    )
    budget_burst: int = Field(
        5,
        ge=0,
        le=1000,
        description=(
            "Number of announces in quick succession that are processed for one client in a swarm; with 0 there is no"
            " budget, and every announce is processed."
        ),
    )
    budget_seconds: int = Field(
        60, ge=1, le=3600, description="Seconds after which a client has one more announce in its budget."
    )
    private_peers: PrivatePeers = Field(
        PrivatePeers.PRIVATE_ASKERS,
        description="Who gets peers with private addresses: clients on private networks (`private`), everybody "
        "(`always`) or nobody (`never`).",
    )
    external_ip: Annotated[tuple[Address, ...], NoDecode, BeforeValidator(_addresses)] = Field(
        (),
        description="The tracker's own public addresses, at most one IPv4 and one IPv6 address, with which peers on "
        "its own network are given out to everybody else.",
    )
    sweep_seconds: int = Field(
        900,
        ge=60,
        le=15_300,
        description="Seconds between two visits to a swarm by the sweeper, which removes expired peers.",
    )
    sweep_budget: int = Field(
        500,
        ge=1,
        description="Maximum number of visits per second by the sweeper, over all announce processes.",
    )
    stream_max_bytes: int = Field(
        2 * 1024**3,
        ge=1024**2,
        description="Maximum size of the fact stream in bytes, at most a quarter of Redis' `maxmemory`; beyond it "
        "only facts of completed and stopped events are kept.",
    )
    announce_gather_ms: int = Field(
        15,
        ge=0,
        le=100,
        description="Milliseconds for which announces wait for others to share their work, at rates where that saves "
        "CPU time; 0 turns it off.",
    )
    tier_cache_seconds: int = Field(
        1800, ge=1, description="Seconds for which the tier of a key is remembered before scoring is asked again."
    )
    tier_cache_entries: int = Field(262_144, ge=1, description="Maximum number of keys whose tier is remembered.")
    allowlist_cache_entries: int = Field(262_144, ge=1, description="Maximum number of tracked infohashes in memory.")

    @field_validator("external_ip")
    @classmethod
    def _one_per_family(cls, addresses: tuple[Address, ...]) -> tuple[Address, ...]:
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
