"""What the holder of a key sees of the anomalies of this key: nothing before a confirmation."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import false, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.anomalies.own_models import OwnAnomaly, OwnAppeal, OwnEvidence
from etracker_admin_api.anomalies.rows import (
    EVIDENCE_WITH_TORRENT,
    MOST_APPEALS,
    SHOWN_EVIDENCE,
    WAITING,
    describe_torrent,
    period,
)
from etracker_admin_api.anomaly_conditions import CONFIRMED
from etracker_admin_api.database import Database
from etracker_admin_api.errors import AppealConflictError
from etracker_admin_api.metrics import Metrics
from etracker_shared.agreements.anomalies import DetectionMode
from etracker_shared.agreements.anomaly_tables import anomalies, anomaly_appeals, anomaly_evidence
from etracker_shared.agreements.tables import peers
from etracker_shared.language.identity import hash_announce_key

MOST_WAITING = 3
"""Appeals of a key that may wait for an answer at the same time."""
MOST_EVIDENCE = 100

_columns = anomalies.c
_appeals = anomaly_appeals.c


class OwnAnomalies:
    """Anomalies as holders of keys see them. ``mode``: ETRACKER_DETECTION.

    Every method raises PostgresUnavailableError within a few seconds if Postgres is down.
    """

    def __init__(self, database: Database, mode: DetectionMode, metrics: Metrics) -> None:
        self._database = database
        self._mode = mode
        self._metrics = metrics

    async def find(self, announce_key: str) -> OwnAnomaly | None:
        """Return what was confirmed about a key, and its appeals; None if the key isn't registered."""
        async with self._database.transaction() as connection:
            row = await self._look_up(connection, announce_key)
            if row is None:
                return None
            appeals = await _find_appeals(connection, row.id)
            evidence = await _find_evidence(connection, row.id) if row.confirmed else []
        waiting = sum(appeal.answered_time is None for appeal in appeals)
        return OwnAnomaly(
            confirmed=row.confirmed,
            enforced=self._mode is DetectionMode.ENFORCE,
            verdict=row.verdict if row.confirmed else None,
            since=row.since if row.confirmed else None,
            evidence=[_describe_evidence(one) for one in evidence],
            appeals=[_describe_appeal(one) for one in appeals],
            appeals_left=max(0, MOST_WAITING - waiting) if row.confirmed else 0,
        )

    async def appeal(self, announce_key: str, text: str) -> OwnAppeal:
        """Store an appeal.

        Raises:
            AppealConflictError: nothing is confirmed, or too many appeals wait for an answer.
        """
        async with self._database.transaction() as connection:
            row = await self._look_up(connection, announce_key, lock=True)
            if row is None or not row.confirmed:
                raise AppealConflictError("Nothing is confirmed about your key, so there is nothing to appeal against.")
            waiting = select(func.count()).where(_appeals.anomaly_id == row.id, WAITING)
            if int(await connection.scalar(waiting) or 0) >= MOST_WAITING:
                raise AppealConflictError(f"{MOST_WAITING} of your appeals wait for an answer already.")
            new = insert(anomaly_appeals).values(anomaly_id=row.id, text=text).returning(anomaly_appeals)
            made = _describe_appeal((await connection.execute(new)).one())
        self._metrics.appeals.labels("made").inc()
        return made

    async def _look_up(self, connection: AsyncConnection, announce_key: str, *, lock: bool = False) -> Any:
        """Return the key's anomaly, with nulls if it has none; None if the key isn't registered."""
        confirmed = false() if self._mode is DetectionMode.OFF else func.coalesce(CONFIRMED, false())
        wanted = (
            select(_columns.id, _columns.verdict, _columns.since, confirmed.label("confirmed"))
            .select_from(peers.outerjoin(anomalies, _columns.key_id == peers.c.id))
            .where(peers.c.key_hash == hash_announce_key(announce_key))
        )
        if lock:  # so that concurrent appeals are counted
            wanted = wanted.with_for_update(of=peers, key_share=True)
        return (await connection.execute(wanted)).first()


async def _find_appeals(connection: AsyncConnection, anomaly_id: int | None) -> Sequence[Any]:
    newest = select(anomaly_appeals).where(_appeals.anomaly_id == anomaly_id).order_by(_appeals.id.desc())
    rows: Sequence[Any] = (await connection.execute(newest.limit(MOST_APPEALS))).all()
    return rows


async def _find_evidence(connection: AsyncConnection, anomaly_id: int) -> Sequence[Any]:
    columns = anomaly_evidence.c
    newest = select(*SHOWN_EVIDENCE).select_from(EVIDENCE_WITH_TORRENT).where(columns.anomaly_id == anomaly_id)
    rows: Sequence[Any] = (await connection.execute(newest.order_by(columns.id.desc()).limit(MOST_EVIDENCE))).all()
    return rows


def _describe_evidence(row: Any) -> OwnEvidence:
    return OwnEvidence(
        at=row.at,
        kind=row.kind,
        text=row.text,
        torrent=describe_torrent(row),
        **period(row),
    )


def _describe_appeal(row: Any) -> OwnAppeal:
    return OwnAppeal(id=row.id, at=row.at, text=row.text, answer=row.answer, answered=row.answered_time)
