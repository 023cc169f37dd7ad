from typing import Annotated

from fastapi import APIRouter, Response, Security

from etracker_admin_api.domain.operators import Actor
from etracker_admin_api.routes.problems import problems_v1
from etracker_admin_api.routes.roles import Roles
from etracker_admin_api.routes.v1.models.operators import Session


def session_router(roles: Roles) -> APIRouter:
    """Build ``GET /api/v1/session``."""
    router = APIRouter(prefix="/api/v1/session", tags=["operators"])
    operator = Security(roles.operator)

    @router.get("", responses=problems_v1(401, 403, 429, 503))
    async def session(response: Response, actor: Annotated[Actor, operator]) -> Session:
        """Tell whose API key this is."""
        response.headers["Cache-Control"] = "no-store"
        return Session(name=actor.operator.name, since=actor.operator.since)

    return router
