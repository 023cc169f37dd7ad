from typing import Annotated

from fastapi import APIRouter, Security

from etracker_admin_api.actors import Actor
from etracker_admin_api.http.paging import Cursor, Limit
from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.http.roles import Roles
from etracker_admin_api.prefixes.models import Hour, PrefixList
from etracker_admin_api.prefixes.store import PrefixStore


def prefixes_router(prefixes: PrefixStore, roles: Roles) -> APIRouter:
    """Build ``GET /api/v1/prefixes``."""
    router = APIRouter(prefix="/api/v1/prefixes", tags=["prefixes"])
    operator = Security(roles.operator)

    @router.get("", responses=problems_v1(400, 401, 403, 429, 503))
    async def list_prefixes(
        _actor: Annotated[Actor, operator],
        *,
        hour: Hour = Hour.PREVIOUS,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> PrefixList:
        """List the address prefixes that announced most torrents within an hour.

        A prefix that announces very many torrents is collecting the addresses of their peers. At most 1,000 prefixes
        are kept per hour. Guests that are only answered, because too many came from their address, aren't counted.
        """
        return await prefixes.page(hour, cursor, limit)

    return router
