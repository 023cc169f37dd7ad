import shutil
from typing import Annotated

from fastapi import APIRouter, Response, Security

from etracker_admin_api.actors import Actor
from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.http.roles import Roles
from etracker_admin_api.system.models import (
    DiskItem,
    PostgresItem,
    ServiceItem,
    SettingList,
    SystemV1,
)
from etracker_admin_api.system.states import ServiceState
from etracker_admin_api.system.survey import Survey


def system_router(survey: Survey, roles: Roles) -> APIRouter:
    """Build the routes about the tracker itself, for operators."""
    router = APIRouter(prefix="/api/v1", tags=["system"])
    operator = Security(roles.operator)

    @router.get("/settings", responses=problems_v1(401, 403, 429, 503))
    async def show_settings(response: Response, _actor: Annotated[Actor, operator]) -> SettingList:
        """List the settings in effect in every service that responds. Secret values are never included."""
        response.headers["Cache-Control"] = "no-store"
        return SettingList(items=await survey.settings())

    @router.get("/system", responses=problems_v1(401, 403, 429, 503))
    async def show_system(response: Response, _actor: Annotated[Actor, operator]) -> SystemV1:
        """Return the health of each process and store, and the statistics lag."""
        response.headers["Cache-Control"] = "no-store"
        state = await survey.state()
        postgres = state.postgres
        disk = shutil.disk_usage(".")
        return SystemV1(
            parts=state.parts,
            disk=DiskItem(free_bytes=disk.free, size_bytes=disk.total),
            services=[_write(service) for service in state.services],
            stream=state.stream,
            last_write=postgres.last_write if postgres else None,
            postgres=PostgresItem.model_validate(postgres, from_attributes=True) if postgres else None,
            redis=state.redis,
        )

    return router


def _write(service: ServiceState) -> ServiceItem:
    return ServiceItem(
        name=service.name,
        status="up" if service.up else "down",
        detail=service.detail,
        checked_at=service.checked_at,
        metrics=dict(service.metrics),
    )
