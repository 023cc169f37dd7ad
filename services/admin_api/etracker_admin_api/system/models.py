"""Settings in effect and system health, as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from etracker_admin_api.system.states import RedisState, Setting, StreamState


class SettingList(BaseModel):
    """Sorted by name. Settings of services that don't respond are omitted."""

    items: Sequence[Setting]


class ServiceItem(BaseModel):
    """A process. ``detail``: what is wrong, empty if nothing. ``metrics``: summed over labels."""

    name: str
    status: Literal["up", "down"]
    detail: str
    checked_at: datetime
    metrics: dict[str, float]


class PostgresItem(BaseModel):
    """The database."""

    size_bytes: int
    connections: int
    max_connections: int


class SystemV1(BaseModel):
    """``postgres`` and ``redis`` are null while they don't respond.

    ``last_write``: when facts were last written to Postgres.
    """

    services: list[ServiceItem]
    stream: StreamState
    last_write: datetime | None
    postgres: PostgresItem | None
    redis: RedisState | None
