from fastapi import APIRouter, HTTPException, Request, Response

from etracker_admin_api.domain.history import TORRENT_STEPS, TRACKER_CHARTS, Span
from etracker_admin_api.domain.infohashes import parse_info_hash
from etracker_admin_api.routes.problems import problems_v1
from etracker_admin_api.routes.v1.caching import HISTORY_SECONDS, NOT_MODIFIED, STATS_SECONDS, cacheable
from etracker_admin_api.routes.v1.models.statistics import (
    Stats,
    StatsHistory,
    StatsSample,
    TorrentHistory,
    TorrentSample,
)
from etracker_admin_api.routes.v1.models.torrents import InfoHashPath
from etracker_admin_api.use_cases.tracker_statistics import TrackerStatistics


def statistics_v1_router(statistics: TrackerStatistics) -> APIRouter:
    """Build the numbers that everybody sees, now and over time."""
    router = APIRouter(prefix="/api/v1", tags=["statistics"])

    @router.get("/stats", response_model=Stats, responses={**NOT_MODIFIED, **problems_v1(503)})
    async def show_stats(request: Request) -> Response:
        """Count torrents, swarms and peers now, and what was ever announced."""
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
            as_of=known.as_of,
        )
        return cacheable(request, answer, STATS_SECONDS)

    @router.get("/stats/history", response_model=StatsHistory, responses={**NOT_MODIFIED, **problems_v1(400, 503)})
    async def show_history(request: Request, span: Span = Span.DAY) -> Response:
        """Show the tracker over the last day, month or year."""
        points = await statistics.tracker(span)
        samples = [StatsSample.model_validate(point, from_attributes=True) for point in points]
        answer = StatsHistory(span=span, step_seconds=TRACKER_CHARTS[span].step_seconds, samples=samples)
        return cacheable(request, answer, HISTORY_SECONDS)

    @router.get(
        "/infohashes/{info_hash:infohash}/history",
        response_model=TorrentHistory,
        responses={**NOT_MODIFIED, **problems_v1(400, 404, 503)},
    )
    async def show_torrents_history(request: Request, info_hash: InfoHashPath, span: Span = Span.DAY) -> Response:
        """Show a torrent's swarm over the last day, month or year."""
        readings = await statistics.torrent(span, parse_info_hash(info_hash))
        if readings is None:
            raise HTTPException(404, "The infohash isn't tracked.")
        samples = [TorrentSample.model_validate(reading, from_attributes=True) for reading in readings]
        answer = TorrentHistory(span=span, step_seconds=TORRENT_STEPS[span], samples=samples)
        return cacheable(request, answer, HISTORY_SECONDS)

    return router
