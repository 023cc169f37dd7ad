"""Answers to appeals."""

import asyncio

from sqlalchemy import func, select, update

from etracker_admin_api.actors import Action, Actor
from etracker_admin_api.anomalies.models import Appeal
from etracker_admin_api.anomalies.rows import WAITING, describe_appeal
from etracker_admin_api.audit import record
from etracker_admin_api.database import Database
from etracker_admin_api.errors import AppealConflictError
from etracker_admin_api.metrics import Metrics
from etracker_shared.agreements.anomaly_tables import anomaly_appeals

COUNT_SECONDS = 60

_columns = anomaly_appeals.c


class AppealStore:
    """The appeals. Every method raises PostgresUnavailableError within a few seconds if Postgres is down."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics

    async def answer(self, anomaly_id: int, appeal_id: int, answer: str, actor: Actor) -> Appeal | None:
        """Answer an appeal; return it, or None if there is no such appeal.

        Raises:
            AppealConflictError: it has been answered already.
        """
        wanted = select(anomaly_appeals).where(_columns.id == appeal_id, _columns.anomaly_id == anomaly_id)
        values = {"answer": answer, "answered_time": func.now(), "answered_by": actor.operator.name}
        async with self._database.transaction() as connection:
            before = (await connection.execute(wanted.with_for_update())).first()
            if before is None:
                return None
            if before.answered_time is not None:
                raise AppealConflictError("This appeal has been answered already.")
            await connection.execute(update(anomaly_appeals).where(_columns.id == appeal_id).values(values))
            detail = {"anomaly": anomaly_id, "answer": answer}
            await record(connection, actor, Action.ANSWER_APPEAL, str(appeal_id), **detail)
            answered = describe_appeal((await connection.execute(wanted)).one())
        self._metrics.appeals.labels("answered").inc()
        return answered

    async def count_waiting(self) -> None:
        """Keep the metric of waiting appeals up to date.

        Raises:
            PostgresUnavailableError: Postgres went down.
        """
        waiting = select(func.count()).select_from(anomaly_appeals).where(WAITING)
        while True:
            async with self._database.transaction() as connection:
                self._metrics.appeals_waiting.set(int(await connection.scalar(waiting) or 0))
            await asyncio.sleep(COUNT_SECONDS)
