"""``/healthz``, ``/readyz``, ``/metrics`` and ``/settings``, the same on every service."""

from collections.abc import Mapping
from ipaddress import ip_address

from fastapi import APIRouter, HTTPException, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel
from pydantic_settings import BaseSettings

from etracker_shared.plumbing.dependencies import Check, Dependencies, passed
from etracker_shared.plumbing.told_settings import ToldSettings, tell_settings

SETTINGS_PATH = "/settings"


class Health(BaseModel):
    """The process runs."""

    status: str = "ok"


class Readiness(BaseModel):
    """``checks``: for each dependency, whether it answers. ``reasons``: why it doesn't, where known."""

    ready: bool
    checks: dict[str, bool]
    reasons: dict[str, str] = {}


def health_router(checks: Mapping[str, Check], registry: CollectorRegistry, settings: BaseSettings) -> APIRouter:
    """Build the four routes; the service is ready while every check returns True or None."""
    router = APIRouter(tags=["health"])
    dependencies = Dependencies(checks)
    registry.register(dependencies)

    @router.get("/healthz")
    async def healthz() -> Health:
        """Report that the process runs."""
        return Health()

    @router.get("/readyz", responses={503: {"model": Readiness}})
    async def readyz(response: Response) -> Readiness:
        """Return whether every dependency answers."""
        outcomes = {name: await check() for name, check in checks.items()}
        results = {name: passed(outcome) for name, outcome in outcomes.items()}
        reasons = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, str)}
        ready = all(results.values())
        response.status_code = 200 if ready else 503
        return Readiness(ready=ready, checks=results, reasons=reasons)

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Show the metrics in Prometheus' text format."""
        await dependencies.check()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @router.get(SETTINGS_PATH, include_in_schema=False)
    async def tell(request: Request) -> ToldSettings:
        """Return the settings in effect, for the admin API on the same network."""
        if not _is_near(request):
            raise HTTPException(404, "Not Found")
        return tell_settings(settings)

    return router


def _is_near(request: Request) -> bool:
    """Return whether a request comes directly from a private network: the port may be open to everybody."""
    if request.client is None or "x-forwarded-for" in request.headers:
        return False
    try:
        return ip_address(request.client.host).is_private
    except ValueError:
        return False
