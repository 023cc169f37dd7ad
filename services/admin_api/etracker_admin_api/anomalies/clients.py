"""Broken clients as a class: evidence by client and version, next to the number of all their users."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.anomalies.client_models import ClientAnomalies, ClientAnomalyList, KindCount
from etracker_admin_api.anomalies.rows import describe_client
from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.peer_ids import CLIENT_BYTES
from etracker_shared.agreements.anomalies import AnomalyState
from etracker_shared.agreements.anomaly_tables import anomalies, anomaly_evidence, client_counts

DAYS = 30
MOST_CLIENTS = 500

_evidence = anomaly_evidence.c
_counts = client_counts.c


class ClientStore:
    """The clients that gave evidence. The evidence is aggregated at each request: there are 20 rows per key and day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self) -> ClientAnomalyList:
        """Return the clients with evidence, those of most keys and guests first.

        Raises:
            PostgresUnavailableError: Postgres is down or too slow.
        """
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            identities = await _count_identities(connection)
            prefixes = list(identities)
            kinds = await _count_kinds(connection, prefixes)
            states = await _count_states(connection)
            users = {row.prefix: row for row in await connection.execute(_users(prefixes))}
            counted = await connection.scalar(select(func.max(_counts.counted_time)))
        items = [
            _describe(prefix, identities[prefix], kinds[prefix], states[prefix], users.get(prefix))
            for prefix in prefixes
        ]
        return ClientAnomalyList(items=items, days=DAYS, counted=counted)


def _client(column: ColumnElement[Any]) -> ColumnElement[bytes]:
    return func.substring(column, 1, CLIENT_BYTES)


def _recent() -> tuple[ColumnElement[bool], ...]:
    recent = _evidence.at > func.now() - func.make_interval(0, 0, 0, DAYS)
    return recent, _evidence.peer_id.is_not(None)


async def _count_identities(connection: AsyncConnection) -> Mapping[bytes, int]:
    client = _client(_evidence.peer_id)
    number = func.count(_evidence.anomaly_id.distinct())
    statement = select(client.label("prefix"), number.label("identities")).where(*_recent()).group_by(client)
    rows = await connection.execute(statement.order_by(number.desc(), client).limit(MOST_CLIENTS))
    return {bytes(row.prefix): row.identities for row in rows}


async def _count_kinds(connection: AsyncConnection, prefixes: Sequence[bytes]) -> Mapping[bytes, list[KindCount]]:
    client, number = _client(_evidence.peer_id), func.count()
    statement = (
        select(
            client.label("prefix"),
            _evidence.kind,
            number.label("evidence"),
            func.count(_evidence.anomaly_id.distinct()).label("identities"),
            func.sum(_evidence.points).label("points"),
        )
        .where(*_recent(), client.in_(prefixes))
        .group_by(client, _evidence.kind)
        .order_by(number.desc(), _evidence.kind)
    )
    found: defaultdict[bytes, list[KindCount]] = defaultdict(list)
    for row in await connection.execute(statement):
        count = KindCount(kind=row.kind, evidence=row.evidence, identities=row.identities, points=round(row.points, 1))
        found[bytes(row.prefix)].append(count)
    return found


async def _count_states(connection: AsyncConnection) -> Mapping[bytes, Mapping[int, int]]:
    columns = anomalies.c
    client = _client(columns.peer_id)
    of_interest = columns.state.in_((int(AnomalyState.SUSPECTED), int(AnomalyState.CONFIRMED)))
    statement = select(client.label("prefix"), columns.state, func.count().label("number")).where(of_interest)
    found: defaultdict[bytes, dict[int, int]] = defaultdict(dict)
    for row in await connection.execute(statement.group_by(client, columns.state)):
        if row.prefix is not None:
            found[bytes(row.prefix)][row.state] = row.number
    return found


def _users(prefixes: Sequence[bytes]) -> Any:
    return select(_counts.prefix, _counts.key_count, _counts.session_count).where(_counts.prefix.in_(prefixes))


def _describe(
    prefix: bytes, identities: int, kinds: list[KindCount], states: Mapping[int, int], users: Any
) -> ClientAnomalies:
    client = describe_client(prefix)
    if client is None:
        raise AssertionError("a peer_id of no bytes was grouped")
    return ClientAnomalies(
        client=client,
        suspected=states.get(AnomalyState.SUSPECTED, 0),
        confirmed=states.get(AnomalyState.CONFIRMED, 0),
        identities=identities,
        kinds=kinds,
        keys=None if users is None else users.key_count,
        sessions=None if users is None else users.session_count,
    )
