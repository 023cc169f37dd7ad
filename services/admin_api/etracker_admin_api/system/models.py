"""Settings in effect and system health, as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from etracker_admin_api.system.parts import Part
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


class DiskItem(BaseModel):
    """The disk of the admin API, which in containers is usually that of all volumes."""

    free_bytes: int
    size_bytes: int


class SystemV1(BaseModel):
    """``parts``: every process and store, the broken ones first.

    ``postgres`` and ``redis`` are null while they don't respond.
    ``last_write``: when facts were last written to Postgres; null if nobody knows, or there has been none.
    """

    parts: Sequence[Part]
    disk: DiskItem
    services: list[ServiceItem]
    stream: StreamState
    last_write: datetime | None
    postgres: PostgresItem | None
    redis: RedisState | None
