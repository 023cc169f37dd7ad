"""Writing the audit log: each change is recorded in the transaction that makes it. ``operators/`` reads it."""

from collections.abc import Mapping

from sqlalchemy import Integer, cast, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.actors import Action, Actor
from etracker_shared.agreements.tables import audit_log
from etracker_shared.language.identity import InfoHash


async def record(connection: AsyncConnection, actor: Actor, action: Action, target: str, **detail: object) -> None:
    """Record what an operator changes, in the transaction that changes it. No detail may be a secret."""
    await record_all(connection, actor, action, {target: detail})


async def record_all(
    connection: AsyncConnection, actor: Actor, action: Action, changed: Mapping[str, Mapping[str, object]]
) -> None:
    """Record one action on several targets, each with its own detail."""
    common = _common(actor, action)
    rows = [{**common, "target": target, "detail": detail} for target, detail in changed.items()]
    if rows:
        await connection.execute(insert(audit_log), rows)


async def record_read(connection: AsyncConnection, actor: Actor, info_hash: InfoHash) -> None:
    """Record that an operator reads a swarm's peers: one row per operator, swarm and hour counts the reads.

    A page that refreshes itself would otherwise bury the log under its own rows.
    """
    columns = audit_log.c
    row = {**_common(actor, Action.READ_PEERS), "target": info_hash.hex(), "detail": {"reads": 1}}
    new = insert(audit_log).values(row | {"read_hour": func.date_trunc("hour", func.now(), "UTC")})
    repeated = func.jsonb_build_object(
        *("reads", cast(columns.detail["reads"].astext, Integer) + 1),
        *("last_at", func.now(), "last_request_id", new.excluded.request_id),
    )
    once = new.on_conflict_do_update(
        index_elements=[columns.operator, columns.target, columns.read_hour],
        index_where=columns.read_hour.is_not(None),
        set_={"detail": repeated},
    )
    await connection.execute(once)


def _common(actor: Actor, action: Action) -> dict[str, object]:
    return {
        "operator_id": actor.operator.id,
        "operator": actor.operator.name,
        "action": action.value,
        "request_id": actor.request_id,
    }
