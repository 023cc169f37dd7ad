from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response, Security

from etracker_admin_api.domain.operator_names import check_operator_name
from etracker_admin_api.domain.operators import (
    ENVIRONMENT,
    Action,
    Actor,
    hash_api_key,
    new_api_key,
    parse_audit_query,
)
from etracker_admin_api.ports import AuditLog, Operators
from etracker_admin_api.routes.bodies import read_json
from etracker_admin_api.routes.problems import problems_v1
from etracker_admin_api.routes.roles import Roles
from etracker_admin_api.routes.v1.bodies import body
from etracker_admin_api.routes.v1.models.keys import RowId
from etracker_admin_api.routes.v1.models.operators import (
    AddedOperator,
    AuditItem,
    AuditList,
    NewOperator,
    OperatorItem,
    OperatorList,
    Session,
)
from etracker_admin_api.routes.v1.paging import Cursor, Limit


def operators_router(operators: Operators, roles: Roles) -> APIRouter:
    """Build what operators do with operators."""
    router = APIRouter(prefix="/api/v1", tags=["operators"])
    operator, first_operator = Security(roles.operator), Security(roles.first_operator)

    @router.get("/session", responses=problems_v1(401, 403, 429, 503))
    async def show_session(response: Response, actor: Annotated[Actor, operator]) -> Session:
        """Tell whose API key this is."""
        response.headers["Cache-Control"] = "no-store"
        return Session(name=actor.operator.name, since=actor.operator.since, first=actor.operator.is_first)

    @router.get("/operators", responses=problems_v1(401, 403, 429, 503))
    async def list_operators(_actor: Annotated[Actor, operator]) -> OperatorList:
        """List everybody who has, or had, an API key."""
        first = OperatorItem(id=None, name=ENVIRONMENT, created=None, last_used=None, revoked=False)
        others = [OperatorItem.model_validate(row, from_attributes=True) for row in await operators.all()]
        return OperatorList(items=[first, *others])

    @router.post(
        "/operators",
        status_code=201,
        responses=problems_v1(400, 401, 403, 409, 413, 429, 503),
        openapi_extra=body(NewOperator),
    )
    async def add_operator(
        request: Request, response: Response, actor: Annotated[Actor, first_operator]
    ) -> AddedOperator:
        """Give somebody an API key of their own; it is shown this once."""
        name = check_operator_name((await read_json(request, NewOperator)).name)
        api_key = new_api_key()
        added = await operators.add(name, hash_api_key(api_key.encode()), actor)
        if added is None:
            raise HTTPException(409, "The name is, was, or looks like another operator's.")
        response.headers["Cache-Control"] = "no-store"
        return AddedOperator(id=added, name=name, key=api_key)

    @router.delete("/operators/{operator_id:int}", status_code=204, responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def revoke_operator(operator_id: RowId, actor: Annotated[Actor, first_operator]) -> None:
        """Revoke an operator's API key at once; the audit log keeps the name."""
        if not await operators.revoke(operator_id, actor):
            raise HTTPException(404, "There is no such operator.")

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
        """Show what operators changed, and whose addresses they saw, the newest first."""
        page = await log.page(parse_audit_query(limit, cursor, operator, action))
        items = [AuditItem.model_validate(row, from_attributes=True) for row in page.rows]
        return AuditList(items=items, next=page.following)

    return router
