"""The variables that only compose.yml reads; a test compares the defaults."""

from pydantic import Field

from etracker_shared.plumbing.settings import EnvironmentSettings


class ComposeSettings(EnvironmentSettings):
    """Networks and resources of the containers."""

    subnet: str = Field(
        "172.30.77.0/24",
        description="IPv4 subnet of the containers, in which the services trust every address as a proxy.",
    )
    subnet_ipv6: str = Field(
        "fd65:7472:6163::/64",
        description="IPv6 subnet of the containers, in which the services trust every address as a proxy.",
    )
    service_memory: str = Field(
        "768m",
        description="Memory that each container of scoring, the worker and announce behind the gateway may use, in "
        "bytes or as `768m` or `2g`.",
    )
    announce_memory: str = Field(
        "768m",
        description="Memory that the container of announce's public port may use, for all of its processes, in bytes "
        "or as `768m` or `2g`.",
    )
    announce_cpus: float = Field(
        1.0, description="CPU cores that the container of announce's public port may use: one per process."
    )
    admin_api_memory: str = Field(
        "2g", description="Memory that each container of the admin API may use, in bytes or as `768m` or `2g`."
    )
    service_cpus: float = Field(
        1.0,
        description="CPU cores that each container of scoring, the worker, the admin API and announce behind the "
        "gateway may use.",
    )
    gateway_memory: str = Field(
        "512m", description="Memory that the gateway's container may use, in bytes or as `768m` or `2g`."
    )
    gateway_cpus: float = Field(1.0, description="CPU cores that the gateway's container may use.")
    postgres_memory: str = Field(
        "2g", description="Memory that the container of Postgres may use, in bytes or as `768m` or `2g`."
    )
    postgres_cpus: float = Field(1.0, description="CPU cores that the container of Postgres may use.")
    postgres_buffers: str = Field(
        "1GB",
        description="Shared buffers of Postgres, such as `256MB` or `1GB`; at most half of its container's memory.",
    )
    redis_memory: str = Field(
        "1g", description="Memory that the container of Redis may use, in bytes or as `768m` or `2g`."
    )
    redis_cpus: float = Field(1.0, description="CPU cores that the container of Redis may use.")
