"""Statistics over time: which resolution is kept how long, and what a chart of a span is drawn from."""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Rung:
    """Samples that stand for ``step_seconds`` each are kept for ``days``."""

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
    """``stored_seconds``: the rung whose samples are read. ``step_seconds``: what one point stands for."""

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
    """Sums over everything ever settled."""

    announces: int
    snatches: int
    uploaded_bytes: int
    downloaded_bytes: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The tracker at a moment: counts then (or averages up to then), totals so far."""

    at: datetime
    torrents: float
    swarms: float
    seeders: float
    leechers: float
    totals: Totals


@dataclass(frozen=True, slots=True)
class Point:
    """One step of a chart: averages, and what was added."""

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
class TorrentReading:
    """A torrent from a moment on, until the next reading."""

    at: datetime
    seeders: int
    leechers: int
    snatches: int


def step_end(at: datetime, step_seconds: int) -> datetime:
    """Return the end of the step that a moment belongs to; a moment between two belongs to the earlier."""
    return EPOCH - (EPOCH - at) // timedelta(seconds=step_seconds) * timedelta(seconds=step_seconds)


def draw_tracker(readings: Sequence[Reading], step_seconds: int) -> Sequence[Point]:
    """Draw the chart of the tracker from readings in the order of time.

    The first reading only says what the totals were before, if it ends a step that isn't wanted; of a single one
    nothing is known to have been added.
    """
    points: list[Point] = []
    before = readings[0] if readings else None
    for end, step in groupby(readings, lambda reading: step_end(reading.at, step_seconds)):
        part = list(step)
        assert before is not None  # noqa: S101 - there are readings
        points.append(_draw_step(end, part, before))
        before = part[-1]
    return points


def draw_torrent(
    readings: Sequence[TorrentReading], step_seconds: int, since: datetime, until: datetime
) -> Sequence[TorrentReading]:
    """Draw the chart of a torrent: at each step's end the reading that held then, from the first one on."""
    points: list[TorrentReading] = []
    following = 0
    for end in _steps(since, until, step_seconds):
        while following < len(readings) and readings[following].at <= end:
            following += 1
        if following:
            held = readings[following - 1]
            points.append(TorrentReading(min(end, until), held.seeders, held.leechers, held.snatches))
    return points


def _steps(since: datetime, until: datetime, step_seconds: int) -> Iterator[datetime]:
    end, last = step_end(since, step_seconds), step_end(until, step_seconds)
    while end <= last:
        yield end
        end += timedelta(seconds=step_seconds)


def _draw_step(end: datetime, part: Sequence[Reading], before: Reading) -> Point:
    last = part[-1]
    seconds = (last.at - before.at).total_seconds()
    announces = max(0, last.totals.announces - before.totals.announces)
    return Point(
        at=end,
        torrents=_average([reading.torrents for reading in part]),
        swarms=_average([reading.swarms for reading in part]),
        seeders=_average([reading.seeders for reading in part]),
        leechers=_average([reading.leechers for reading in part]),
        announces_per_second=round(announces / seconds, 3) if seconds else 0.0,
        snatches=max(0, last.totals.snatches - before.totals.snatches),
        uploaded_bytes=max(0, last.totals.uploaded_bytes - before.totals.uploaded_bytes),
        downloaded_bytes=max(0, last.totals.downloaded_bytes - before.totals.downloaded_bytes),
    )


def _average(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 2)
