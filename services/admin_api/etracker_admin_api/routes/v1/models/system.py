"""Settings in force and system health."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class SettingItem(BaseModel):
    """A variable as it is in force. A secret's value is null; ``changed``: it isn't the default."""

    name: str
    value: str | None
    default: str | None
    description: str
    secret: bool
    changed: bool
    services: list[str] = Field(description="where it is in force so; another value elsewhere is another item")


class SettingList(BaseModel):
    """By name. Settings of a service that doesn't answer are missing."""

    items: list[SettingItem]


class ServiceItem(BaseModel):
    """A process. ``detail``: what is wrong, empty if nothing is. ``metrics``: summed over their labels."""

    name: str
    status: Literal["up", "down"]
    detail: str
    checked_at: datetime
    metrics: dict[str, float]


class StreamItem(BaseModel):
    """The facts that wait to be settled; null where no process tells."""

    lag_entries: int | None
    lag_seconds: float | None
    bytes: int | None


class PostgresItem(BaseModel):
    """The database."""

    size_bytes: int
    connections: int
    max_connections: int


class RedisItem(BaseModel):
    """Redis, over all nodes; no limit is 0."""

    memory_bytes: int
    max_memory_bytes: int


class SystemV1(BaseModel):
    """``postgres`` and ``redis`` are null while they don't answer. ``last_write``: of facts, to Postgres."""

    services: list[ServiceItem]
    stream: StreamItem
    last_write: datetime | None
    postgres: PostgresItem | None
    redis: RedisItem | None
