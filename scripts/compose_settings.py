"""The variables that only compose.yml reads; a test compares the defaults."""

from pydantic import Field, SecretStr

from etracker_shared.plumbing.settings import EnvironmentSettings


class ComposeSettings(EnvironmentSettings):
    """Networks and resources of the containers."""

    subnet: str = Field("172.30.77.0/24", description="IPv4 subnet of the containers.")
    subnet_ipv6: str = Field(
        "fd65:7472:6163::/64",
        description="IPv6 subnet of the containers.",
    )
    gateway_ipv4: str = Field(
        "172.30.77.254",
        description="The gateway's address in `ETRACKER_SUBNET`, which the services trust as a proxy's; the other "
        "containers get the first addresses.",
    )
    gateway_ipv6: str = Field(
        "fd65:7472:6163::fffe",
        description="The gateway's address in `ETRACKER_SUBNET_IPV6`, which the services trust as a proxy's.",
    )
    announce_scale: int = Field(0, description="Containers of announce behind the gateway only.")
    scoring_scale: int = Field(1, description="Containers of the scoring API.")
    scoring_worker_scale: int = Field(1, description="Containers of the scoring worker.")
    admin_api_scale: int = Field(1, description="Containers of the admin API.")
    version: str = Field("0.1.0", description="Version of the tracker's own images: their tag and their label.")
    revision: str = Field(
        "", description="Commit that the tracker's own images are labelled with; `deploy/upgrade.sh` sets it."
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
    gateway_observation_host: str = Field(
        "0.0.0.0",  # noqa: S104 - inside its container
        description="Address in its container on which the gateway serves its metrics; `make run` uses loopback.",
    )
    gateway_observation_port: int = Field(
        9180,
        description="Port, not to be published, on which the gateway serves its metrics, as "
        "`deploy/monitoring/prometheus.yml` expects; `make run` picks a free one.",
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
    prometheus_image: str = Field(
        "prom/prometheus:v3.5.0", description="Image of Prometheus, of the profile `monitoring`."
    )
    prometheus_retention: str = Field(
        "30d", description="How long Prometheus keeps metrics, of the profile `monitoring`, such as `30d`."
    )
    prometheus_memory: str = Field(
        "512m", description="Memory that the container of Prometheus may use, in bytes or as `768m` or `2g`."
    )
    prometheus_cpus: float = Field(0.5, description="CPU cores that the container of Prometheus may use.")
    grafana_image: str = Field("grafana/grafana:12.2.0", description="Image of Grafana, of the profile `monitoring`.")
    grafana_password: SecretStr = Field(
        SecretStr(""), description="Password of Grafana's user `admin`, which the profile `monitoring` needs."
    )
    grafana_address: str = Field(
        "127.0.0.1:3002", description="Address and port of this machine on which Grafana listens."
    )
    grafana_memory: str = Field(
        "512m", description="Memory that the container of Grafana may use, in bytes or as `768m` or `2g`."
    )
    grafana_cpus: float = Field(0.5, description="CPU cores that the container of Grafana may use.")
