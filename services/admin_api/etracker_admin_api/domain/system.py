"""How the tracker's processes and stores are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

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
    """A process as it answers. ``detail``: what is wrong, empty if nothing is. ``metrics``: summed over labels."""

    name: str
    up: bool
    detail: str
    checked_at: datetime
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PostgresState:
    """How large Postgres' database is, and how many of its connections are taken."""

    size_bytes: int
    connections: int
    max_connections: int
    last_write: datetime | None


@dataclass(frozen=True, slots=True)
class RedisState:
    """What Redis takes, over all nodes; ``max_memory_bytes`` is 0 for no limit."""

    memory_bytes: int
    max_memory_bytes: int


@dataclass(frozen=True, slots=True)
class StreamState:
    """The fact stream; None where no process tells."""

    lag_entries: int | None
    lag_seconds: float | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable as it is in force in some services; another value elsewhere is another setting."""

    name: str
    value: str | None
    default: str | None
    secret: bool
    changed: bool
    services: tuple[str, ...]


def stream_state(services: Sequence[ServiceState]) -> StreamState:
    """Put together what the processes say of the fact stream: workers the lag of their shards, announce its size."""

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


def merge_settings(told: Mapping[str, Sequence[Setting]]) -> Sequence[Setting]:
    """Merge what services told: a variable with the same value in several is listed once, with all their names."""
    merged: dict[tuple[str, str | None, bool], Setting] = {}
    for settings in told.values():
        for setting in settings:
            key = (setting.name, setting.value, setting.changed)
            known = merged.get(key)
            services = (*(known.services if known else ()), *setting.services)
            merged[key] = Setting(
                setting.name, setting.value, setting.default, setting.secret, setting.changed, services
            )
    return sorted(merged.values(), key=lambda setting: (setting.name, setting.services))
