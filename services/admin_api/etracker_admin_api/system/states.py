"""The health of the tracker's processes and stores, and the settings in effect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

WARNINGS = {
    "etracker_announce_peers_share_one_address": (
        "Many peers of the last hour have the same private address. If they come through a proxy of yours, "
        "name it in ETRACKER_GATEWAY_TRUSTED_PROXIES. In containers, IPv6 clients need Docker Engine 27."
    ),
}
"""What is wrong with a service that responds, by the metric that shows it."""

SHOWN_METRICS = frozenset(
    {
        "etracker_announce_answers_total",
        "etracker_announce_facts_dropped_total",
        "etracker_announce_stream_bytes",
        "etracker_scoring_requests_total",
        "etracker_scoring_shards_held",
        "etracker_scoring_shards_refused",
        "etracker_scoring_stream_lag_entries",
        "etracker_scoring_stream_lag_seconds",
        "etracker_scoring_facts_total",
        "etracker_scoring_batch_conflicts_total",
        "etracker_admin_requests_total",
    }
)


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A process. ``detail``: what is wrong, empty if nothing. ``metrics``: summed over labels."""

    name: str
    up: bool
    detail: str
    checked_at: datetime
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PostgresState:
    """The size of the database, and the number of connections in use."""

    size_bytes: int
    connections: int
    max_connections: int
    last_write: datetime | None


@dataclass(frozen=True, slots=True)
class RedisState:
    """The memory of Redis, summed over all nodes. A limit of 0 means none."""

    memory_bytes: int
    max_memory_bytes: int


@dataclass(frozen=True, slots=True)
class StreamState:
    """The facts waiting to be settled; null if no process reports them."""

    lag_entries: int | None
    lag_seconds: float | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting in effect. The value of a secret is null. ``changed``: it differs from the default.

    ``services``: those with this value. A different value in another service is a separate item.
    """

    name: str
    value: str | None
    default: str | None
    description: str
    secret: bool
    changed: bool
    services: tuple[str, ...]


def stream_state(services: Sequence[ServiceState]) -> StreamState:
    """Combine reports about the fact stream: workers report the lag of their shards, announce reports the size."""

    def largest(metric: str) -> float | None:
        return max((service.metrics[metric] for service in services if metric in service.metrics), default=None)

    lags = [
        lag for service in services if (lag := service.metrics.get("etracker_scoring_stream_lag_entries")) is not None
    ]
    size = largest("etracker_announce_stream_bytes")
    return StreamState(
        int(sum(lags)) if lags else None,
        largest("etracker_scoring_stream_lag_seconds"),
        None if size is None else int(size),
    )


def merge_settings(reported: Mapping[str, Sequence[Setting]]) -> Sequence[Setting]:
    """Merge the settings of services: those with the same value become one, with the names of all these services."""
    merged: dict[tuple[str, str | None, bool], Setting] = {}
    for settings in reported.values():
        for setting in settings:
            key = (setting.name, setting.value, setting.changed)
            known = merged.get(key)
            services = (*(known.services if known else ()), *setting.services)
            merged[key] = replace(setting, services=services)
    return sorted(merged.values(), key=lambda setting: (setting.name, setting.services))
