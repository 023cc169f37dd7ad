"""Statistics over time: how long each resolution is kept, and how charts are drawn from samples."""

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Rung:
    """A resolution: samples that cover ``step_seconds`` each are kept for ``days``."""

    step_seconds: int
    days: int


TRACKER_LADDER = (Rung(60, 2), Rung(900, 40), Rung(21_600, 731))
TORRENT_LADDER = (Rung(3600, 8), Rung(21_600, 40), Rung(DAY, 731))


class Span(enum.StrEnum):
    """How far back a chart goes."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart. ``stored_seconds``: the resolution of its samples. ``step_seconds``: what a point covers."""

    seconds: int
    stored_seconds: int
    step_seconds: int


TRACKER_CHARTS = {
    Span.DAY: Chart(DAY, 60, 300),
    Span.MONTH: Chart(31 * DAY, 900, 7200),
    Span.YEAR: Chart(366 * DAY, 21_600, DAY),
}
TORRENT_STEPS = {Span.DAY: 3600, Span.MONTH: 21_600, Span.YEAR: DAY}


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over everything settled so far."""

    announces: int
    snatches: int
    uploaded_bytes: int
    downloaded_bytes: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The tracker at a point in time: counts (or averages over the ``step_seconds`` up to then), and totals so far."""

    step_seconds: int
    at: datetime
    torrents: float
    swarms: float
    seeders: float
    leechers: float
    totals: Totals


@dataclass(frozen=True, slots=True)
class StatsSample:
    """The step ending at ``at``, the latest reading if it is in progress.

    Counts are averages over the step; snatches and bytes are what it added.
    """

    at: datetime
    torrents: float
    swarms: float
    seeders: float
    leechers: float
    announces_per_second: float
    snatches: int
    uploaded_bytes: int
    downloaded_bytes: int


@dataclass(frozen=True, slots=True)
class TorrentSample:
    """A torrent at one point in time. ``snatches`` is the total so far."""

    at: datetime
    seeders: int
    leechers: int
    snatches: int


def step_end(at: datetime, step_seconds: int) -> datetime:
    """Return the end of the step that contains a point in time; the end belongs to the step."""
    return EPOCH - (EPOCH - at) // timedelta(seconds=step_seconds) * timedelta(seconds=step_seconds)


def draw_tracker(readings: Sequence[Reading], step_seconds: int) -> Sequence[StatsSample]:
    """Draw the chart of the tracker from readings sorted by time.

    Increments are relative to the previous reading. The first reading has none before it, so its step shows only
    what was added after it.
    """
    points: list[StatsSample] = []
    before = readings[0] if readings else None
    for end, step in groupby(readings, lambda reading: step_end(reading.at, step_seconds)):
        part = list(step)
        assert before is not None  # noqa: S101 - there are readings
        points.append(_draw_step(min(end, readings[-1].at), part, before))
        before = part[-1]
    return points


def draw_torrent(
    readings: Sequence[TorrentSample], step_seconds: int, since: datetime, until: datetime
) -> Sequence[TorrentSample]:
    """Draw the chart of a torrent: for the end of each step, the latest reading before it."""
    points: list[TorrentSample] = []
    following = 0
    for end in _steps(since, until, step_seconds):
        while following < len(readings) and readings[following].at <= end:
            following += 1
        if following:
            held = readings[following - 1]
            points.append(TorrentSample(min(end, until), held.seeders, held.leechers, held.snatches))
    return points


def _steps(since: datetime, until: datetime, step_seconds: int) -> Iterator[datetime]:
    end, last = step_end(since, step_seconds), step_end(until, step_seconds)
    while end <= last:
        yield end
        end += timedelta(seconds=step_seconds)


def _draw_step(end: datetime, part: Sequence[Reading], before: Reading) -> StatsSample:
    last = part[-1]
    seconds = (last.at - before.at).total_seconds()
    announces = max(0, last.totals.announces - before.totals.announces)
    return StatsSample(
        at=end,
        torrents=_average(part, lambda reading: reading.torrents),
        swarms=_average(part, lambda reading: reading.swarms),
        seeders=_average(part, lambda reading: reading.seeders),
        leechers=_average(part, lambda reading: reading.leechers),
        announces_per_second=round(announces / seconds, 3) if seconds else 0.0,
        snatches=max(0, last.totals.snatches - before.totals.snatches),
        uploaded_bytes=max(0, last.totals.uploaded_bytes - before.totals.uploaded_bytes),
        downloaded_bytes=max(0, last.totals.downloaded_bytes - before.totals.downloaded_bytes),
    )


def _average(readings: Sequence[Reading], count: Callable[[Reading], float]) -> float:
    weighted = sum(count(reading) * reading.step_seconds for reading in readings)
    return round(weighted / sum(reading.step_seconds for reading in readings), 2)
