from typing import Protocol

from fastapi import APIRouter, Request, Response

from etracker_admin_api.http.caching import HISTORY_SECONDS, NOT_MODIFIED, STATS_SECONDS, cacheable
from etracker_admin_api.http.infohashes import InfoHashPath, not_tracked, parse_info_hash
from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.statistics.history import TORRENT_STEPS, TRACKER_CHARTS, Span
from etracker_admin_api.statistics.models import (
    Stats,
    StatsHistory,
    TorrentHistory,
)
from etracker_admin_api.statistics.tracker import TrackerStatistics


class Announcing(Protocol):
    """What is known of the processes that answer announces."""

    @property
    def announce_is_down(self) -> bool:
        """Whether none of them answered lately."""


def statistics_router(statistics: TrackerStatistics, announcing: Announcing) -> APIRouter:
    """Build the public statistics, now and over time."""
    router = APIRouter(prefix="/api/v1", tags=["statistics"])

    @router.get("/stats", response_model=Stats, responses={**NOT_MODIFIED, **problems_v1(503)})
    async def show_stats(request: Request) -> Response:
        """Return current counts of torrents, swarms and peers, and all-time totals."""
        known = await statistics.now()
        answer = Stats(
            torrents=known.counted.hashcount,
            swarms=known.counted.swarms,
            seeders=known.counted.seeders,
            leechers=known.counted.leechers,
            snatches=known.totals.snatches,
            announces_per_second=known.announces_per_second,
            uploaded_bytes=known.totals.uploaded_bytes,
            downloaded_bytes=known.totals.downloaded_bytes,
            stale=known.counted.stale,
            announces_fail=known.counted.stale or announcing.announce_is_down,
            as_of=known.as_of,
        )
        return cacheable(request, answer, STATS_SECONDS)

    @router.get("/stats/history", response_model=StatsHistory, responses={**NOT_MODIFIED, **problems_v1(400, 503)})
    async def show_history(request: Request, span: Span = Span.DAY) -> Response:
        """Return the tracker's statistics over the last day, month or year."""
        samples = await statistics.tracker(span)
        answer = StatsHistory(span=span, step_seconds=TRACKER_CHARTS[span].step_seconds, samples=samples)
        return cacheable(request, answer, HISTORY_SECONDS)

    @router.get(
        "/infohashes/{info_hash:infohash}/history",
        response_model=TorrentHistory,
        responses={**NOT_MODIFIED, **problems_v1(400, 404, 503)},
    )
    async def show_torrents_history(request: Request, info_hash: InfoHashPath, span: Span = Span.DAY) -> Response:
        """Return a torrent's statistics over the last day, month or year."""
        samples = await statistics.torrent(span, parse_info_hash(info_hash))
        if samples is None:
            raise not_tracked()
        answer = TorrentHistory(span=span, step_seconds=TORRENT_STEPS[span], samples=samples)
        return cacheable(request, answer, HISTORY_SECONDS)

    return router
