"""Operators' decisions about anomalies, which override the detector. The scoring worker carries them out."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.actors import Action, Actor
from etracker_admin_api.anomalies.changes import NewDecision
from etracker_admin_api.anomalies.models import DecisionName
from etracker_admin_api.anomaly_conditions import DECIDED
from etracker_admin_api.audit import record
from etracker_admin_api.database import Database
from etracker_admin_api.errors import AppealConflictError
from etracker_admin_api.metrics import Metrics
from etracker_shared.agreements.anomaly_tables import anomalies

CLEARED_FOR = timedelta(days=7)
"""How long clearing lasts unless an operator says otherwise."""

NOT_APPLIED = 0
"""``applied`` after a decision, so that the worker carries out one that repeats an earlier one, too."""

_columns = anomalies.c


class DecisionStore:
    """The decisions. Every method raises PostgresUnavailableError within a few seconds if Postgres is down."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics

    async def decide(self, anomaly_id: int, wanted: NewDecision, actor: Actor) -> bool:
        """Decide about a key or guest in place of an earlier decision; return whether there is such an anomaly."""
        until = _end_of(wanted)
        async with self._database.transaction() as connection:
            before = await _lock(connection, anomaly_id)
            if before is None:
                return False
            await connection.execute(
                update(anomalies)
                .where(_columns.id == anomaly_id)
                .values(
                    override=wanted.decision.stored,
                    override_until=until,
                    override_by=actor.operator.name,
                    note=wanted.note,
                    applied=NOT_APPLIED,
                )
            )
            detail = {"decision": wanted.decision, "until": until and until.isoformat(), "note": wanted.note}
            await record(connection, actor, Action.DECIDE_ANOMALY, str(anomaly_id), **_identify(before), **detail)
        self._metrics.decisions.labels(wanted.decision).inc()
        return True

    async def end(self, anomaly_id: int, note: str, actor: Actor) -> bool:
        """End a decision; return whether there is such an anomaly.

        Raises:
            AppealConflictError: there is no decision, or it has ended.
        """
        async with self._database.transaction() as connection:
            before = await _lock(connection, anomaly_id)
            if before is None:
                return False
            if not before.decided:
                raise AppealConflictError("There is no decision about this key or guest, or it has ended.")
            ended = {"override": None, "override_until": None, "override_by": None, "note": note}
            await connection.execute(update(anomalies).where(_columns.id == anomaly_id).values(ended))
            await record(connection, actor, Action.END_DECISION, str(anomaly_id), **_identify(before), note=note)
        self._metrics.decisions.labels("end").inc()
        return True


def _end_of(wanted: NewDecision) -> datetime | None:
    if wanted.decision is DecisionName.CLEAR and wanted.until is None:
        return datetime.now(UTC) + CLEARED_FOR
    return wanted.until


async def _lock(connection: AsyncConnection, anomaly_id: int) -> Any:
    guest = func.encode(_columns.guest, "hex").label("guest")
    wanted = select(_columns.key_id, guest, DECIDED.label("decided")).where(_columns.id == anomaly_id)
    return (await connection.execute(wanted.with_for_update())).first()


def _identify(row: Any) -> dict[str, object]:
    return {"guest": row.guest} if row.key_id is None else {"key": row.key_id}
