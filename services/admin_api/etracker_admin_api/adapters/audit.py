"""The audit log in Postgres."""

from collections.abc import Mapping

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.adapters.database import Database
from etracker_admin_api.domain.operators import Action, Actor, AuditPage, AuditQuery, AuditRow, cut_audit_page
from etracker_shared.identity import InfoHash
from etracker_shared.tables import audit_log


class PostgresAuditLog:
    """See :class:`~etracker_admin_api.ports.AuditLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record_read(self, info_hash: InfoHash, actor: Actor) -> None:
        """See the port. A page that refreshes itself would otherwise bury the log under its own rows."""
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
        async with self._database.transaction() as connection:
            await connection.execute(once)

    async def page(self, query: AuditQuery) -> AuditPage:
        """See the port."""
        columns = audit_log.c
        shown = (columns.id, columns.at, columns.operator, columns.action, columns.target, columns.detail)
        statement = select(*shown, columns.request_id).order_by(columns.id.desc()).limit(query.limit + 1)
        if query.before is not None:
            statement = statement.where(columns.id < query.before)
        if query.operator is not None:
            statement = statement.where(columns.operator == query.operator)
        if query.action is not None:
            statement = statement.where(columns.action == query.action.value)
        async with self._database.transaction() as connection:
            return cut_audit_page([AuditRow(*row) for row in await connection.execute(statement)], query)


async def record(connection: AsyncConnection, actor: Actor, action: Action, target: str, **detail: object) -> None:
    """Write what an operator changes into the transaction that changes it. No detail may be a secret."""
    await record_all(connection, actor, action, {target: detail})


async def record_all(
    connection: AsyncConnection, actor: Actor, action: Action, changed: Mapping[str, Mapping[str, object]]
) -> None:
    """Write one action on several targets, each with its detail."""
    common = _common(actor, action)
    rows = [{**common, "target": target, "detail": detail} for target, detail in changed.items()]
    if rows:
        await connection.execute(insert(audit_log), rows)


def _common(actor: Actor, action: Action) -> dict[str, object]:
    return {
        "operator_id": actor.operator.id,
        "operator": actor.operator.name,
        "action": action.value,
        "request_id": actor.request_id,
    }
