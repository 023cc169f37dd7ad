from typing import Annotated

from fastapi import APIRouter, HTTPException, Request, Response, Security

from etracker_admin_api.actors import Actor
from etracker_admin_api.anomalies.appeals import AppealStore
from etracker_admin_api.anomalies.changes import AppealAnswer, NewAppeal
from etracker_admin_api.anomalies.models import Appeal
from etracker_admin_api.anomalies.own_models import OwnAnomaly, OwnAppeal
from etracker_admin_api.anomalies.own_store import OwnAnomalies
from etracker_admin_api.http.address_limit import AddressLimit
from etracker_admin_api.http.bodies import body, read_json
from etracker_admin_api.http.paging import RowId
from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.http.roles import Roles, key_not_registered
from etracker_shared.language.identity import hash_announce_key


def own_anomaly_router(own: OwnAnomalies, limit: AddressLimit, roles: Roles) -> APIRouter:
    """Build the routes with which a key's holder sees what was confirmed about it, and appeals."""
    router = APIRouter(prefix="/api/v1/key", tags=["keys"])
    key_holder = Security(roles.key_holder)

    @router.get("/anomaly", responses=problems_v1(401, 403, 429, 503))
    async def show_own_anomaly(response: Response, announce_key: Annotated[str, key_holder]) -> OwnAnomaly:
        """Return what the tracker has confirmed about your key, with the evidence, and your appeals."""
        response.headers["Cache-Control"] = "no-store"
        shown = await own.find(announce_key)
        if shown is None:  # deleted since it was checked
            raise key_not_registered()
        return shown

    @router.post(
        "/anomaly/appeals",
        status_code=201,
        responses=problems_v1(400, 401, 403, 409, 413, 429, 503),
        openapi_extra=body(NewAppeal),
    )
    async def appeal(request: Request, response: Response, announce_key: Annotated[str, key_holder]) -> OwnAppeal:
        """Say what speaks against the confirmation. An operator reads it, and may answer.

        409: nothing is confirmed, or three of your appeals wait for an answer.
        """
        text = (await read_json(request, NewAppeal)).text
        if wait_seconds := await limit.take_as(hash_announce_key(announce_key).hex()):
            raise HTTPException(
                429, "Too many appeals for your key. Try again later.", {"Retry-After": str(wait_seconds)}
            )
        response.headers["Cache-Control"] = "no-store"
        return await own.appeal(announce_key, text)

    return router


def appeals_router(appeals: AppealStore, roles: Roles) -> APIRouter:
    """Build the route with which operators answer appeals."""
    router = APIRouter(prefix="/api/v1/anomalies", tags=["anomalies"])
    operator = Security(roles.operator)

    @router.post(
        "/{anomaly_id:int}/appeals/{appeal_id:int}/answer",
        responses=problems_v1(400, 401, 403, 404, 409, 413, 429, 503),
        openapi_extra=body(AppealAnswer),
    )
    async def answer_appeal(
        request: Request, anomaly_id: RowId, appeal_id: RowId, actor: Annotated[Actor, operator]
    ) -> Appeal:
        """Answer an appeal, once. The key's holder sees the answer, but not who gave it."""
        wanted = await read_json(request, AppealAnswer)
        answered = await appeals.answer(anomaly_id, appeal_id, wanted.answer, actor)
        if answered is None:
            raise HTTPException(404, "Appeal not found.")
        return answered

    return router
