"""Settings in effect and system health, as the API shows them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class SettingItem(BaseModel):
    """A setting in effect. The value of a secret is null. ``changed``: it differs from the default."""

    name: str
    value: str | None
    default: str | None
    description: str
    secret: bool
    changed: bool
    services: list[str] = Field(
        description="the services with this value; a different value elsewhere is a separate item"
    )


class SettingList(BaseModel):
    """Sorted by name. Settings of services that don't respond are omitted."""

    items: list[SettingItem]


class ServiceItem(BaseModel):
    """A process. ``detail``: what is wrong, empty if nothing. ``metrics``: summed over labels."""

    name: str
    status: Literal["up", "down"]
    detail: str
    checked_at: datetime
    metrics: dict[str, float]


class StreamItem(BaseModel):
    """The facts waiting to be settled; null if no process reports them."""

    lag_entries: int | None
    lag_seconds: float | None
    bytes: int | None


class PostgresItem(BaseModel):
    """The database."""

    size_bytes: int
    connections: int
    max_connections: int


class RedisItem(BaseModel):
    """Redis, summed over all nodes. A limit of 0 means none."""

    memory_bytes: int
    max_memory_bytes: int


class SystemV1(BaseModel):
    """``postgres`` and ``redis`` are null while they don't respond.

    ``last_write``: when facts were last written to Postgres.
    """

    services: list[ServiceItem]
    stream: StreamItem
    last_write: datetime | None
    postgres: PostgresItem | None
    redis: RedisItem | None
