from fastapi import APIRouter, HTTPException, Request, Response

from etracker_admin_api.metrics import Metrics
from etracker_admin_api.ports import AddressLimit, Keys
from etracker_admin_api.routes.callers import Callers
from etracker_admin_api.routes.models import KeyAnswer
from etracker_admin_api.routes.problems import problems
from etracker_shared.identity import new_announce_key


def keys_router(keys: Keys, limit: AddressLimit, callers: Callers, metrics: Metrics) -> APIRouter:
    """Build ``GET /api/generate``."""
    router = APIRouter(tags=["keys"])

    @router.get("/api/generate", responses=problems(429, 503))
    async def generate(request: Request, response: Response) -> KeyAnswer:
        """Make and register a fresh announce key; each address may have only so many an hour."""
        wait_seconds = 0 if callers.is_operator(request) else await limit.take(callers.address(request))
        if wait_seconds:
            metrics.keys.labels("limited").inc()
            message = "Your address has generated enough keys for now. Use one of them, or come back later."
            raise HTTPException(429, message, {"Retry-After": str(wait_seconds)})
        announce_key = new_announce_key()
        await keys.register(announce_key)
        metrics.keys.labels("generated").inc()
        response.headers["Cache-Control"] = "no-store"
        return KeyAnswer(announce_key=announce_key)

    return router
