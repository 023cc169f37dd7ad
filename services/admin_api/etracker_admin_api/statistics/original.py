from fastapi import APIRouter
from pydantic import BaseModel, Field

from etracker_admin_api.http.problems import problems
from etracker_admin_api.statistics.counting import CountStatistics


class StatisticsAnswer(BaseModel):
    """``stale`` is present only while live counts are unavailable; seeders and leechers are the last known then."""

    hashcount: int = Field(description="torrents tracked; a hybrid's two infohashes are one")
    seeders: int
    leechers: int
    stale: bool | None = None


def original_router(count: CountStatistics) -> APIRouter:
    """Build ``GET /api/stats``."""
    router = APIRouter(tags=["statistics"])

    @router.get("/api/stats", response_model_exclude_unset=True, responses=problems(503))
    async def stats() -> StatisticsAnswer:
        """Return the current number of tracked torrents, and of seeders and leechers in all swarms."""
        counted = await count()
        answer = StatisticsAnswer(hashcount=counted.hashcount, seeders=counted.seeders, leechers=counted.leechers)
        return answer.model_copy(update={"stale": True}) if counted.stale else answer

    return router
