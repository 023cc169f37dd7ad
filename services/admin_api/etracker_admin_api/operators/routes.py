from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response, Security

from etracker_admin_api.actors import ENVIRONMENT, Action, Actor
from etracker_admin_api.api_keys import hash_api_key, new_api_key
from etracker_admin_api.http.bodies import body, read_json
from etracker_admin_api.http.paging import Cursor, Limit, RowId
from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.http.roles import Roles
from etracker_admin_api.operators.audit_log import AuditLog, parse_audit_query
from etracker_admin_api.operators.models import (
    AddedOperator,
    AuditList,
    NewOperator,
    OperatorItem,
    OperatorList,
    Session,
)
from etracker_admin_api.operators.names import check_operator_name
from etracker_admin_api.operators.store import OperatorStore


def operators_router(operators: OperatorStore, roles: Roles) -> APIRouter:
    """Build the routes with which operators manage operators."""
    router = APIRouter(prefix="/api/v1", tags=["operators"])
    operator, first_operator = Security(roles.operator), Security(roles.first_operator)

    @router.get("/session", responses=problems_v1(401, 403, 429, 503))
    async def show_session(response: Response, actor: Annotated[Actor, operator]) -> Session:
        """Return the operator this API key belongs to."""
        response.headers["Cache-Control"] = "no-store"
        return Session(name=actor.operator.name, since=actor.operator.since, first=actor.operator.is_first)

    @router.get("/operators", responses=problems_v1(401, 403, 429, 503))
    async def list_operators(_actor: Annotated[Actor, operator]) -> OperatorList:
        """List all current and past operators."""
        first = OperatorItem(id=None, name=ENVIRONMENT, created=None, last_used=None, revoked=False)
        return OperatorList(items=[first, *await operators.all()])

    @router.post(
        "/operators",
        status_code=201,
        responses=problems_v1(400, 401, 403, 409, 413, 429, 503),
        openapi_extra=body(NewOperator),
    )
    async def add_operator(
        request: Request, response: Response, actor: Annotated[Actor, first_operator]
    ) -> AddedOperator:
        """Add an operator with a new API key. The key is shown only once."""
        name = check_operator_name((await read_json(request, NewOperator)).name)
        api_key = new_api_key()
        added = await operators.add(name, hash_api_key(api_key.encode()), actor)
        if added is None:
            raise HTTPException(
                409, "The name belongs, or used to belong, to another operator, or looks like one that does."
            )
        response.headers["Cache-Control"] = "no-store"
        return AddedOperator(id=added, name=name, key=api_key)

    @router.delete("/operators/{operator_id:int}", status_code=204, responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def revoke_operator(operator_id: RowId, actor: Annotated[Actor, first_operator]) -> None:
        """Revoke an operator's API key immediately. The audit log keeps the name."""
        if not await operators.revoke(operator_id, actor):
            raise HTTPException(404, "Operator not found.")

    return router


def audit_router(log: AuditLog, roles: Roles) -> APIRouter:
    """Build ``GET /api/v1/audit``."""
    router = APIRouter(prefix="/api/v1/audit", tags=["operators"])
    reader = Security(roles.operator)

    @router.get("", responses=problems_v1(400, 401, 403, 429, 503))
    async def show_audit_log(
        _actor: Annotated[Actor, reader],
        *,
        operator: Annotated[str | None, Query(max_length=64, pattern=r"^[^\u0000]*$")] = None,
        action: Action | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> AuditList:
        """List what operators changed, and which swarms' peers they read, newest first."""
        return await log.page(parse_audit_query(limit, cursor, operator, action))

    return router
