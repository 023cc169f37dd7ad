"""Reading the audit log. ``audit.py`` writes it."""

from dataclasses import dataclass

from sqlalchemy import select

from etracker_admin_api.actors import Action
from etracker_admin_api.database import Database
from etracker_admin_api.http.cursors import decode_cursor
from etracker_admin_api.http.paging import cut_page
from etracker_admin_api.operators.models import AuditItem, AuditList
from etracker_shared.agreements.tables import audit_log

_SORT = "audit"
"""The only sort order, as cursors name it."""

_columns = audit_log.c


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """One page of the audit log, newest first. ``before``: the id of the last row of the previous page."""

    limit: int
    before: int | None = None
    operator: str | None = None
    action: Action | None = None


class AuditLog:
    """What operators changed, and which swarms' peers they read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: AuditQuery) -> AuditList:
        """Return a page.

        Raises:
            PostgresUnavailableError: Postgres is down or too slow.
        """
        shown = (_columns.id, _columns.at, _columns.operator, _columns.action, _columns.target, _columns.detail)
        statement = select(*shown, _columns.request_id, _columns.id.label("sort_key"))
        if query.before is not None:
            statement = statement.where(_columns.id < query.before)
        if query.operator is not None:
            statement = statement.where(_columns.operator == query.operator)
        if query.action is not None:
            statement = statement.where(_columns.action == query.action.value)
        async with self._database.transaction() as connection:
            found = (await connection.execute(statement.order_by(_columns.id.desc()).limit(query.limit + 1))).all()
        rows, following = cut_page(found, query.limit, _SORT)
        return AuditList(items=[AuditItem(**row._asdict()) for row in rows], next=following)


def parse_audit_query(limit: int, cursor: str | None, operator: str | None, action: Action | None) -> AuditQuery:
    """Build a query.

    Raises:
        CursorError: the cursor is invalid, or belongs to another list.
    """
    before = decode_cursor(cursor, _SORT, int)[1] if cursor else None
    return AuditQuery(limit, before, operator, action)
