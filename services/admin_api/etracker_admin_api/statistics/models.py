"""Statistics as the API shows them, now and over time."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from etracker_admin_api.statistics.history import Span, StatsSample, TorrentSample


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
    announces_fail: bool = Field(description="no client can announce now, as far as is known; clients repeat announces")
    as_of: datetime


class StatsHistory(BaseModel):
    """Oldest first. Steps without data are omitted."""

    span: Span
    step_seconds: int
    samples: Sequence[StatsSample]


class TorrentHistory(BaseModel):
    """Oldest first, starting with the torrent's first sample."""

    span: Span
    step_seconds: int
    samples: Sequence[TorrentSample]
