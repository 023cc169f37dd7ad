"""Anomalies in Postgres, as operators look for them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.anomalies.listing import EVIDENCE, AnomalyQuery
from etracker_admin_api.anomalies.models import AccusedTorrent, AnomalyDetail, AnomalyList, EvidenceList
from etracker_admin_api.anomalies.rows import (
    EVIDENCE_WITH_TORRENT,
    MOST_APPEALS,
    SHOWN,
    SHOWN_EVIDENCE,
    WAITING,
    anomaly_fields,
    describe_anomaly,
    describe_appeal,
    describe_evidence,
)
from etracker_admin_api.anomaly_conditions import IDENTIFIED
from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.http.paging import cut_page
from etracker_admin_api.queries import comes_after, in_order, starts_with
from etracker_shared.agreements.anomalies import AnomalyState
from etracker_shared.agreements.anomaly_tables import anomalies, anomaly_appeals, anomaly_evidence
from etracker_shared.agreements.tables import infohashes, peers

MOST_TORRENTS = 50
FIRST_EVIDENCE = 50

_columns = anomalies.c
_evidence = anomaly_evidence.c


class AnomalyStore:
    """The anomalies. Every method raises PostgresUnavailableError within a few seconds if Postgres is down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: AnomalyQuery) -> AnomalyList:
        """Return a page of the list."""
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            found = (await connection.execute(list_anomalies(query))).all()
        rows, following = cut_page(found, query.limit, query.sort)
        return AnomalyList(items=[describe_anomaly(row) for row in rows], next=following)

    async def find(self, anomaly_id: int) -> AnomalyDetail | None:
        """Return an anomaly with its evidence and its appeals."""
        wanted = select(*SHOWN).select_from(IDENTIFIED).where(_columns.id == anomaly_id)
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            row = (await connection.execute(wanted)).first()
            if row is None:
                return None
            return AnomalyDetail(
                **anomaly_fields(row),
                torrents=await _torrents(connection, anomaly_id),
                evidence=await _evidence_page(connection, anomaly_id, None, FIRST_EVIDENCE),
                appeals=[describe_appeal(one) for one in await _appeals(connection, anomaly_id)],
            )

    async def evidence(self, anomaly_id: int, before: int | None, limit: int) -> EvidenceList | None:
        """Return a page of the evidence against a key or guest; None if there is no such anomaly."""
        exists = select(_columns.id).where(_columns.id == anomaly_id)
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            if await connection.scalar(exists) is None:
                return None
            return await _evidence_page(connection, anomaly_id, before, limit)


def list_anomalies(query: AnomalyQuery) -> Select[Any]:
    """Select a page, and one row more: along the indexes of the sort order, one walk per state."""
    key = _columns.score if query.sort.by_score else _columns.since
    states = AnomalyState if query.state is None else (query.state.stored,)
    parts = [_walk(query, key, state) for state in states]
    walked = union_all(*(part.subquery().select() for part in parts)).subquery()
    merged = in_order(select(walked), walked.c.sort_key, walked.c.id, descending=query.sort.descending)
    page = merged.limit(query.limit + 1).subquery()
    shown = select(*SHOWN, page.c.sort_key).select_from(IDENTIFIED.join(page, page.c.id == _columns.id))
    return in_order(shown, page.c.sort_key, page.c.id, descending=query.sort.descending)


def _walk(query: AnomalyQuery, key: ColumnElement[Any], state: AnomalyState) -> Select[Any]:
    statement = select(_columns.id, key.label("sort_key")).where(_columns.state == int(state), *_filters(query))
    if query.after is not None:
        statement = statement.where(comes_after(key, _columns.id, query.after, descending=query.sort.descending))
    return in_order(statement, key, _columns.id, descending=query.sort.descending).limit(query.limit + 1)


def _filters(query: AnomalyQuery) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if query.verdict is not None:
        filters.append(_columns.verdict == query.verdict.stored)
    if query.client:
        filters.append(func.substring(_columns.peer_id, 1, len(query.client)) == query.client)
    if query.appealed:
        filters.append(_columns.id.in_(select(anomaly_appeals.c.anomaly_id).where(WAITING)))
    if query.hash_prefix:
        filters.append(_matches(query))
    return filters


def _matches(query: AnomalyQuery) -> ColumnElement[bool]:
    named = select(peers.c.id).where(starts_with(peers.c.key_hash, query.hash_prefix, 16))
    either = [_columns.key_id.in_(named), starts_with(_columns.guest, query.hash_prefix, 16)]
    return or_(*either) if query.key_id is None else or_(_columns.key_id == query.key_id, *either)


async def _evidence_page(connection: AsyncConnection, anomaly_id: int, before: int | None, limit: int) -> EvidenceList:
    statement = (
        select(*SHOWN_EVIDENCE, _evidence.id.label("sort_key"))
        .select_from(EVIDENCE_WITH_TORRENT)
        .where(_evidence.anomaly_id == anomaly_id)
        .order_by(_evidence.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        statement = statement.where(_evidence.id < before)
    rows, following = cut_page((await connection.execute(statement)).all(), limit, EVIDENCE)
    return EvidenceList(items=[describe_evidence(row) for row in rows], next=following)


async def _torrents(connection: AsyncConnection, anomaly_id: int) -> list[AccusedTorrent]:
    points = func.sum(_evidence.points).label("points")
    statement = (
        select(
            infohashes.c.info_hash,
            infohashes.c.name,
            points,
            func.count().label("evidence"),
            func.max(_evidence.at).label("last"),
            func.bool_or(_evidence.kind.startswith("C:")).label("of_balance"),
        )
        .select_from(anomaly_evidence.join(infohashes, infohashes.c.id == _evidence.info_hash_id))
        .where(_evidence.anomaly_id == anomaly_id)
        .group_by(infohashes.c.id)
        .order_by(points.desc(), infohashes.c.id)
        .limit(MOST_TORRENTS)
    )
    rows = (await connection.execute(statement)).all()
    return [AccusedTorrent(**{**row._asdict(), "points": round(row.points, 1)}) for row in rows]


async def _appeals(connection: AsyncConnection, anomaly_id: int) -> Sequence[Any]:
    columns = anomaly_appeals.c
    newest = select(anomaly_appeals).where(columns.anomaly_id == anomaly_id).order_by(columns.id.desc())
    rows: Sequence[Any] = (await connection.execute(newest.limit(MOST_APPEALS))).all()
    return rows
