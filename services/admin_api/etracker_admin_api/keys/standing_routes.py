from typing import Annotated

from fastapi import APIRouter, Response, Security

from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.http.roles import Roles, key_not_registered
from etracker_admin_api.keys.standings import Standings
from etracker_shared.agreements.standing import StandingReport


def standing_router(standings: Standings, roles: Roles) -> APIRouter:
    """Build the route that shows a key's holder its standing."""
    router = APIRouter(prefix="/api/v1", tags=["keys"])
    key_holder = Security(roles.key_holder)

    @router.get("/standing", responses=problems_v1(401, 403, 429, 503))
    async def get_standing(response: Response, announce_key: Annotated[str, key_holder]) -> StandingReport:
        """Return your key's standing, what would raise its tier, and its statistics per torrent."""
        report = await standings.find(announce_key)
        if report is None:  # deleted since it was checked
            raise key_not_registered()
        response.headers["Cache-Control"] = "no-store"
        return report

    return router
