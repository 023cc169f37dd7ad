"""The audit log in Postgres."""

from collections.abc import Mapping

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.domain.operators import Action, Actor
from etracker_shared.tables import audit_log


async def record(connection: AsyncConnection, actor: Actor, action: Action, target: str, **detail: object) -> None:
    """Write what an operator changes into the transaction that changes it. No detail may be a secret."""
    await record_all(connection, actor, action, {target: detail})


async def record_all(
    connection: AsyncConnection, actor: Actor, action: Action, changed: Mapping[str, Mapping[str, object]]
) -> None:
    """Write one action on several targets, each with its detail."""
    common = {
        "operator_id": actor.operator.id,
        "operator": actor.operator.name,
        "action": action.value,
        "request_id": actor.request_id,
    }
    rows = [{**common, "target": target, "detail": detail} for target, detail in changed.items()]
    if rows:
        await connection.execute(insert(audit_log), rows)
