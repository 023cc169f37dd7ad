"""Rows of the tables of anomalies, made into what the API shows."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.sql.selectable import FromClause

from etracker_admin_api.anomalies.models import Anomaly, Appeal, Client, Decision, Evidence, TorrentName
from etracker_admin_api.anomaly_conditions import DECIDED, IDENTITY
from etracker_admin_api.peer_ids import CLIENT_BYTES, read_client, show_peer_id
from etracker_shared.agreements.anomalies import BLOCK_SECONDS
from etracker_shared.agreements.anomaly_tables import anomalies, anomaly_appeals, anomaly_evidence
from etracker_shared.agreements.tables import infohashes

MOST_APPEALS = 100

_columns = anomalies.c
WAITING = anomaly_appeals.c.answered_time.is_(None)

SHOWN: tuple[ColumnElement[Any], ...] = (
    *(_columns.id, _columns.key_id, IDENTITY.label("key_hash"), _columns.state, _columns.since, _columns.verdict),
    *(_columns.score, _columns.score_time, _columns.evidence_time, _columns.peer_id, _columns.points),
    *(_columns.override, _columns.override_until, _columns.override_by, _columns.note, DECIDED.label("decided")),
    select(func.count())
    .where(anomaly_appeals.c.anomaly_id == _columns.id, WAITING)
    .scalar_subquery()
    .label("appeals_waiting"),
)
SHOWN_EVIDENCE: tuple[ColumnElement[Any], ...] = (
    *(anomaly_evidence.c.id, anomaly_evidence.c.at, anomaly_evidence.c.kind, anomaly_evidence.c.points),
    *(anomaly_evidence.c.block_from, anomaly_evidence.c.block_to, anomaly_evidence.c.peer_id),
    *(anomaly_evidence.c.text, anomaly_evidence.c.data, infohashes.c.info_hash, infohashes.c.name),
)
EVIDENCE_WITH_TORRENT: FromClause = anomaly_evidence.outerjoin(
    infohashes, infohashes.c.id == anomaly_evidence.c.info_hash_id
)


def describe_anomaly(row: Any) -> Anomaly:
    """Describe a row of :data:`SHOWN`."""
    return Anomaly(**anomaly_fields(row))


def anomaly_fields(row: Any) -> dict[str, Any]:
    """Return the fields of an anomaly from a row of :data:`SHOWN`."""
    same = ("id", "key_id", "key_hash", "state", "since", "verdict", "score_time", "evidence_time", "appeals_waiting")
    return {
        **{name: getattr(row, name) for name in same},
        "score": round(row.score, 1),
        "points": {kind: round(points, 1) for kind, points in row.points.items()},
        "client": describe_client(row.peer_id),
        "decision": _describe_decision(row) if row.decided else None,
    }


def describe_evidence(row: Any) -> Evidence:
    """Describe a row of :data:`SHOWN_EVIDENCE`."""
    return Evidence(
        id=row.id,
        at=row.at,
        kind=row.kind,
        points=round(row.points, 1),
        text=row.text,
        data=row.data,
        torrent=describe_torrent(row),
        **period(row),
        client=describe_client(row.peer_id),
    )


def describe_torrent(row: Any) -> TorrentName | None:
    """Name the torrent of a row that has the columns ``info_hash`` and ``name``; None if they are null."""
    return None if row.info_hash is None else TorrentName(info_hash=row.info_hash, name=row.name)


def describe_appeal(row: Any) -> Appeal:
    """Describe a row of ``anomaly_appeals``."""
    return Appeal(
        id=row.id,
        at=row.at,
        text=row.text,
        answer=row.answer,
        answered=row.answered_time,
        operator=row.answered_by,
    )


def describe_client(peer_id: bytes | None) -> Client | None:
    """Describe the client that a peer_id or the start of one belongs to."""
    if not peer_id:
        return None
    client = read_client(peer_id)
    return Client(name=client.name, version=client.version, prefix=show_peer_id(peer_id[:CLIENT_BYTES]))


def block_start(block: int) -> datetime:
    """Return when a block began."""
    return datetime.fromtimestamp(block * BLOCK_SECONDS, UTC)


def period(row: Any) -> dict[str, datetime | None]:
    """Return when the blocks that a finding is about began and ended; None if it is about no blocks."""
    first, last = row.block_from, row.block_to
    return {
        "began": None if first is None else block_start(first),
        "ended": None if last is None else block_start(last + 1),
    }


def _describe_decision(row: Any) -> Decision:
    return Decision(decision=row.override, until=row.override_until, operator=row.override_by or "", note=row.note)
