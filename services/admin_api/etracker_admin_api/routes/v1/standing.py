from typing import Annotated

from fastapi import APIRouter, HTTPException, Response, Security

from etracker_admin_api.ports import KeyStandings, ScoringUnavailableError
from etracker_admin_api.routes.problems import RETRY_SECONDS, problems_v1
from etracker_admin_api.routes.roles import Roles
from etracker_shared.standing import StandingReport

SCORING_DOWN = "The scoring service doesn't answer. Your history is safe; try again in a moment."


def standing_router(standings: KeyStandings, roles: Roles) -> APIRouter:
    """Build what a key's holder may know about it."""
    router = APIRouter(prefix="/api/v1", tags=["keys"])
    key_holder = Security(roles.key_holder)

    @router.get("/standing", responses=problems_v1(401, 403, 429, 503))
    async def get_standing(response: Response, announce_key: Annotated[str, key_holder]) -> StandingReport:
        """Tell where one's own key stands, what would raise its tier, and what it did in each torrent."""
        try:
            report = await standings.find(announce_key)
        except ScoringUnavailableError:
            raise HTTPException(503, SCORING_DOWN, {"Retry-After": str(RETRY_SECONDS)}) from None
        if report is None:  # since it was looked at
            raise HTTPException(403, "The announce key isn't registered. Generate one first.")
        response.headers["Cache-Control"] = "no-store"
        return report

    return router
