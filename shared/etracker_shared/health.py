"""``/healthz``, ``/readyz`` and ``/metrics``, the same on every service."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel

Check = Callable[[], Awaitable[bool]]


class Health(BaseModel):
    """The process runs."""

    status: str = "ok"


class Readiness(BaseModel):
    """``checks``: each dependency and whether it answers."""

    ready: bool
    checks: dict[str, bool]


def health_router(checks: Mapping[str, Check], registry: CollectorRegistry) -> APIRouter:
    """Build the three routes; the service is ready while every check answers True."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> Health:
        """Tell that the process runs."""
        return Health()

    @router.get("/readyz", responses={503: {"model": Readiness}})
    async def readyz(response: Response) -> Readiness:
        """Tell whether every dependency answers."""
        results = {name: await check() for name, check in checks.items()}
        ready = all(results.values())
        response.status_code = 200 if ready else 503
        return Readiness(ready=ready, checks=results)

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Show the metrics in Prometheus' text format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
