from fastapi import APIRouter

from etracker_admin_api.routes.models import StatisticsAnswer
from etracker_admin_api.routes.problems import problems
from etracker_admin_api.use_cases.statistics import CountStatistics


def statistics_router(count: CountStatistics) -> APIRouter:
    """Build ``GET /api/stats``."""
    router = APIRouter(tags=["statistics"])

    @router.get("/api/stats", response_model_exclude_unset=True, responses=problems(503))
    async def stats() -> StatisticsAnswer:
        """Count tracked torrents, and seeders and leechers of all swarms right now."""
        counted = await count()
        answer = StatisticsAnswer(hashcount=counted.hashcount, seeders=counted.seeders, leechers=counted.leechers)
        return answer.model_copy(update={"stale": True}) if counted.stale else answer

    return router
