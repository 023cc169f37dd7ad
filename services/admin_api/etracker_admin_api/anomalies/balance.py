"""The balance of a swarm as the scoring worker judged it, and what the accused transferred."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import LargeBinary, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.anomalies.balance_models import (
    AccusedTraffic,
    BalanceBlock,
    SwarmBalance,
    TrafficBlock,
    Witness,
)
from etracker_admin_api.anomalies.models import TorrentName
from etracker_admin_api.anomalies.rows import block_start
from etracker_admin_api.anomaly_conditions import IDENTIFIED, IDENTITY
from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.queries import torrent_id
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, TRAFFIC_SLOTS, WINDOW_BLOCKS
from etracker_shared.agreements.anomaly_tables import anomalies, anomaly_evidence, swarm_blocks
from etracker_shared.agreements.tables import infohashes
from etracker_shared.language.identity import InfoHash

BLOCKS_AFTER = 4
"""How many blocks are shown after the last finding."""
MOST_OTHERS = 4
MOST_WITNESSES = 10
MOST_SESSIONS = 20_000
"""Sessions of a torrent in which witnesses are looked for."""

_DAY_BLOCKS = 86_400 // BLOCK_SECONDS
_evidence = anomaly_evidence.c

# LATERAL with a limit, so that each row is looked up by the whole primary key: a block has the rows of all torrents.
_TRAFFIC = text(
    """
SELECT identity, block, found.* FROM generate_series(CAST(:first AS int), CAST(:last AS int)) block
CROSS JOIN unnest(:identities) identity
CROSS JOIN LATERAL (
    SELECT uploaded, received, dropped FROM traffic_blocks kept
    WHERE kept.slot = block / :day % :slots AND kept.block = block.block
        AND kept.info_hash_id = :torrent AND kept.identity = identity.identity
    LIMIT 1
) found
ORDER BY block
"""
).bindparams(bindparam("identities", type_=ARRAY(LargeBinary)), day=_DAY_BLOCKS, slots=TRAFFIC_SLOTS)

_SEEDED = """
WITH sessions AS (
    SELECT key_id, coalesce(int8send(key_id), peer_id) AS identity, seeded,
        CAST(floor(extract(epoch FROM last_seen) / :seconds) AS bigint) AS last
    FROM announces WHERE info_hash_id = :torrent AND seeded <> 0 LIMIT :most
), seeded AS (
    SELECT DISTINCT key_id, identity, block FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) block
    JOIN sessions ON last - block BETWEEN 0 AND 63 AND (seeded >> CAST(last - block AS int)) & 1 = 1
)
"""
_WITNESSES_BY_BLOCK = text(
    f"{_SEEDED} SELECT block, count(*) AS witnesses FROM seeded WHERE identity <> :accused GROUP BY block"  # noqa: S608 - our own words
).bindparams(seconds=BLOCK_SECONDS, most=MOST_SESSIONS)
_WITNESSES = text(
    f"""{_SEEDED}
SELECT key_id, coalesce(key_hash, identity) AS key_hash, blocks
FROM (
    SELECT key_id, identity, count(*) AS blocks FROM seeded
    WHERE NOT identity = ANY(:accused) GROUP BY key_id, identity ORDER BY blocks DESC, key_id, identity LIMIT :shown
) witnesses
LEFT JOIN peers ON peers.id = key_id
ORDER BY blocks DESC, key_id, identity
"""  # noqa: S608 - as above
).bindparams(
    bindparam("accused", type_=ARRAY(LargeBinary)), seconds=BLOCK_SECONDS, most=MOST_SESSIONS, shown=MOST_WITNESSES
)


@dataclass(frozen=True, slots=True)
class _Accused:
    id: int
    key_id: int | None
    key_hash: bytes
    state: int

    @property
    def identity(self) -> bytes:
        """Return the name of the key or guest in the detector's tables."""
        return bytes(self.key_hash) if self.key_id is None else self.key_id.to_bytes(8, "big")


class BalanceStore:
    """The balances of swarms."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, anomaly_id: int, info_hash: InfoHash) -> SwarmBalance | None:
        """Return the balance of a torrent; None if there is no evidence against this key or guest in it.

        Raises:
            PostgresUnavailableError: Postgres is down or too slow.
        """
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            torrent = (await connection.execute(_find_torrent(info_hash))).first()
            if torrent is None or (last := await _last_block(connection, anomaly_id, torrent.id)) is None:
                return None
            blocks = await _blocks(connection, torrent.id, last)
            accused = await _accused(connection, anomaly_id, torrent.id)
            span = {"torrent": torrent.id, "first": last - WINDOW_BLOCKS + 1, "last": last}
            counts = await _count_witnesses(connection, accused[0], span)
            witnesses = await _find_witnesses(connection, accused, blocks, span)
            traffic = await _traffic(connection, accused, span)
        shown = [_describe_block(block, counts) for block in blocks]
        return SwarmBalance(
            torrent=TorrentName(info_hash=torrent.info_hash, name=torrent.name),
            size=torrent.length,
            private=torrent.private,
            block_seconds=BLOCK_SECONDS,
            onset=shown[-1].onset if shown else None,
            blocks=shown,
            accused=[_describe_accused(one, traffic[one.identity]) for one in accused],
            witnesses=witnesses,
        )


def _find_torrent(info_hash: InfoHash) -> Any:
    columns = infohashes.c
    shown = (columns.id, columns.info_hash, columns.name, columns.length, columns.private)
    return select(*shown).where(columns.id == torrent_id(info_hash))


async def _last_block(connection: AsyncConnection, anomaly_id: int, torrent: int) -> int | None:
    """Return the last block to show, or None if there is no evidence."""
    concerned = func.coalesce(_evidence.block_to, func.floor(func.extract("epoch", _evidence.at) / BLOCK_SECONDS))
    of_both = (_evidence.anomaly_id == anomaly_id, _evidence.info_hash_id == torrent)
    last_evidence = await connection.scalar(select(func.max(concerned)).where(*of_both))
    if last_evidence is None:
        return None
    newest = select(func.max(swarm_blocks.c.block)).where(swarm_blocks.c.info_hash_id == torrent)
    newest_block = await connection.scalar(newest)
    shown = int(last_evidence) + BLOCKS_AFTER
    return shown if newest_block is None else min(shown, newest_block)


async def _blocks(connection: AsyncConnection, torrent: int, last: int) -> Sequence[Any]:
    columns = swarm_blocks.c
    within = columns.block.between(last - WINDOW_BLOCKS + 1, last)
    statement = select(swarm_blocks).where(columns.info_hash_id == torrent, within).order_by(columns.block)
    rows: Sequence[Any] = (await connection.execute(statement)).all()
    return rows


async def _accused(connection: AsyncConnection, anomaly_id: int, torrent: int) -> list[_Accused]:
    columns = anomalies.c
    shown = select(columns.id, columns.key_id, IDENTITY.label("key_hash"), columns.state).select_from(IDENTIFIED)
    of_balance = (
        _evidence.info_hash_id == torrent,
        _evidence.kind.startswith("C:"),
        _evidence.anomaly_id != anomaly_id,
    )
    latest = func.max(_evidence.id)
    others = select(_evidence.anomaly_id).where(*of_balance).group_by(_evidence.anomaly_id).order_by(latest.desc())
    wanted = [anomaly_id, *(await connection.scalars(others.limit(MOST_OTHERS)))]
    rows = (await connection.execute(shown.where(columns.id.in_(wanted)))).all()
    found = {row.id: _Accused(**row._asdict()) for row in rows}
    return [found[one] for one in wanted if one in found]


async def _count_witnesses(
    connection: AsyncConnection, accused: _Accused, span: Mapping[str, int]
) -> Mapping[int, int]:
    rows = await connection.execute(_WITNESSES_BY_BLOCK, {**span, "accused": accused.identity})
    return {row.block: row.witnesses for row in rows}


async def _find_witnesses(
    connection: AsyncConnection, accused: Sequence[_Accused], blocks: Sequence[Any], span: Mapping[str, int]
) -> list[Witness]:
    onset = blocks[-1].onset if blocks else None
    since = span["first"] if onset is None else max(onset, span["first"])
    identities = [one.identity for one in accused]
    rows = await connection.execute(_WITNESSES, {**span, "first": since, "accused": identities})
    return [Witness(**row._asdict()) for row in rows]


async def _traffic(
    connection: AsyncConnection, accused: Sequence[_Accused], span: Mapping[str, int]
) -> Mapping[bytes, list[TrafficBlock]]:
    found: dict[bytes, list[TrafficBlock]] = {one.identity: [] for one in accused}
    for row in await connection.execute(_TRAFFIC, {**span, "identities": list(found)}):
        found[bytes(row.identity)].append(
            TrafficBlock(
                start=block_start(row.block), uploaded=row.uploaded, received=row.received, dropped=row.dropped
            )
        )
    return found


def _describe_block(row: Any, witnesses: Mapping[int, int]) -> BalanceBlock:
    return BalanceBlock(
        start=block_start(row.block),
        uploaded=row.uploaded,
        received=row.received,
        noise=row.noise,
        cusum=row.cusum,
        onset=None if row.onset is None else block_start(row.onset),
        trusted=bool(row.trusted),
        witnesses=witnesses.get(row.block, 0),
    )


def _describe_accused(accused: _Accused, blocks: list[TrafficBlock]) -> AccusedTraffic:
    return AccusedTraffic(
        anomaly_id=accused.id,
        key_id=accused.key_id,
        key_hash=accused.key_hash,
        state=accused.state,
        blocks=blocks,
    )
