"""Statistics as the API shows them, now and over time."""

from datetime import datetime

from pydantic import BaseModel, Field

from etracker_admin_api.statistics.history import Span


class Stats(BaseModel):
    """The tracker now.

    ``stale``: live counts are unavailable, so swarms, seeders and leechers are the last known values.
    """

    torrents: int = Field(description="torrents tracked; a hybrid's two infohashes are one")
    swarms: int = Field(description="infohashes that have peers now")
    seeders: int
    leechers: int
    snatches: int = Field(description="completed downloads, all time")
    announces_per_second: float | None = Field(description="over the last one or two minutes; null if unknown")
    uploaded_bytes: int = Field(description="credited, all time")
    downloaded_bytes: int = Field(description="credited, all time")
    stale: bool
    as_of: datetime


class StatsSample(BaseModel):
    """The step ending at ``at``. Counts are averages over the step; snatches and bytes are its increments."""

    at: datetime
    torrents: float
    swarms: float
    seeders: float
    leechers: float
    announces_per_second: float
    snatches: int
    uploaded_bytes: int
    downloaded_bytes: int


class StatsHistory(BaseModel):
    """Oldest first. Steps without data are omitted."""

    span: Span
    step_seconds: int
    samples: list[StatsSample]


class TorrentSample(BaseModel):
    """A torrent at one point in time. ``snatches`` is the total so far."""

    at: datetime
    seeders: int
    leechers: int
    snatches: int


class TorrentHistory(BaseModel):
    """Oldest first, starting with the torrent's first sample."""

    span: Span
    step_seconds: int
    samples: list[TorrentSample]
