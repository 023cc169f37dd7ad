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
    stores_subnet: str = Field(
        "172.30.78.0/24", description="IPv4 subnet of Postgres, Redis and the services that use them."
    )
    stores_subnet_ipv6: str = Field(
        "fd65:7472:6164::/64", description="IPv6 subnet of Postgres, Redis and the services that use them."
    )
    postgres_image: str = Field("postgres:18.6", description="Image of Postgres.")
    redis_image: str = Field(
        "valkey/valkey:8.1.4-alpine", description="Image of Redis: one of valkey, or of Redis up to 7.2."
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
        "1g", description="Memory that the container of Postgres may use, in bytes or as `768m` or `2g`."
    )
    postgres_cpus: float = Field(1.0, description="CPU cores that the container of Postgres may use.")
    postgres_buffers: str = Field(
        "256MB",
        description="Shared buffers of Postgres, such as `256MB` or `1GB`; use about a quarter of its memory.",
    )
    redis_memory: str = Field(
        "1g", description="Memory that the container of Redis may use, in bytes or as `768m` or `2g`."
    )
    redis_cpus: float = Field(1.0, description="CPU cores that the container of Redis may use.")
