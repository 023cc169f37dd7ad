"""Statistics, now and over time."""

from datetime import datetime

from pydantic import BaseModel, Field

from etracker_admin_api.domain.history import Span


class Stats(BaseModel):
    """The tracker now. ``stale``: live counts can't be had, so swarms, seeders and leechers are the last known."""

    torrents: int = Field(description="torrents tracked; a hybrid's two infohashes are one")
    swarms: int = Field(description="infohashes that have peers now")
    seeders: int
    leechers: int
    snatches: int = Field(description="completed downloads, ever")
    announces_per_second: float | None = Field(description="over the last minute or two, null while unknown")
    uploaded_bytes: int = Field(description="credited, ever")
    downloaded_bytes: int = Field(description="credited, ever")
    stale: bool
    as_of: datetime


class StatsSample(BaseModel):
    """The step that ends at ``at``: counts are its averages, snatches and bytes what was added in it."""

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
    """Oldest first. Steps of which nothing is known are missing."""

    span: Span
    step_seconds: int
    samples: list[StatsSample]


class TorrentSample(BaseModel):
    """A torrent at a moment; ``snatches`` so far."""

    at: datetime
    seeders: int
    leechers: int
    snatches: int


class TorrentHistory(BaseModel):
    """Oldest first, from the first sample of the torrent on."""

    span: Span
    step_seconds: int
    samples: list[TorrentSample]
