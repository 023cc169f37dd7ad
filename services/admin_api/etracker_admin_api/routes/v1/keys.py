from fastapi import APIRouter, HTTPException, Request, Response

from etracker_admin_api.domain.announce_urls import announce_url
from etracker_admin_api.metrics import Metrics
from etracker_admin_api.ports import AddressLimit, Keys
from etracker_admin_api.routes.callers import Callers
from etracker_admin_api.routes.problems import problems_v1
from etracker_admin_api.routes.v1.models.keys import NewKey
from etracker_shared.identity import new_announce_key


def keys_v1_router(keys: Keys, limit: AddressLimit, callers: Callers, metrics: Metrics) -> APIRouter:
    """Build what anybody may do with announce keys."""
    router = APIRouter(prefix="/api/v1/keys", tags=["keys"])

    @router.post("", status_code=201, responses=problems_v1(429, 503))
    async def generate_key(request: Request, response: Response) -> NewKey:
        """Make and register a fresh announce key; each address may have only so many an hour."""
        address = callers.limited_address(request)
        wait_seconds = 0 if address is None else await limit.take(address)
        if wait_seconds:
            metrics.keys.labels("limited").inc()
            message = "Your address has generated enough keys for now. Use one of them, or come back later."
            raise HTTPException(429, message, {"Retry-After": str(wait_seconds)})
        announce_key = new_announce_key()
        await keys.register(announce_key)
        metrics.keys.labels("generated").inc()
        response.headers["Cache-Control"] = "no-store"
        return NewKey(announce_key=announce_key, announce_url=announce_url(callers.origin(request), announce_key))

    return router
