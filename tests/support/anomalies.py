"""Anomalies as the scoring worker would write them."""

import json
import time
from typing import Any

import asyncpg

from etracker_shared.agreements.anomalies import BLOCK_SECONDS, AnomalyState, Kind, Verdict

NOW_BLOCK = int(time.time()) // BLOCK_SECONDS
"""The block in which the tests began."""


async def add_key(database: asyncpg.Connection, announce_key: str) -> int:
    return int(await database.fetchval("INSERT INTO peers (announce_key) VALUES ($1) RETURNING id", announce_key))


async def add_torrent(database: asyncpg.Connection, info_hash: str, name: str = "a film") -> int:
    insert = "INSERT INTO infohashes (info_hash, name) VALUES ($1, $2) RETURNING id"
    return int(await database.fetchval(insert, bytes.fromhex(info_hash), name))


async def add_anomaly(
    database: asyncpg.Connection,
    key_id: int | None = None,
    *,
    guest: bytes | None = None,
    state: AnomalyState = AnomalyState.SUSPECTED,
    verdict: Verdict | None = None,
    score: float = 50.0,
    peer_id: bytes | None = b"-qB5210-abcdefghijkl",
) -> int:
    insert = """
        INSERT INTO anomalies (key_id, guest, state, verdict, score, peer_id, evidence_time, points)
        VALUES ($1, $2, $3, $4, $5, $6, now(), '{"P:rate": 50}') RETURNING id
    """
    return int(await database.fetchval(insert, key_id, guest, state, verdict, score, peer_id))


async def confirm(database: asyncpg.Connection, anomaly_id: int, verdict: Verdict = Verdict.WASTE) -> None:
    confirmed = "UPDATE anomalies SET state = 2, verdict = $2, score = 120 WHERE id = $1"
    await database.execute(confirmed, anomaly_id, verdict)


async def add_evidence(
    database: asyncpg.Connection,
    anomaly_id: int,
    torrent: int | None = None,
    kind: Kind = Kind.REDOWNLOAD,
    *,
    points: float = 25.0,
    blocks: tuple[int, int] | None = None,
    peer_id: bytes | None = b"-qB5210-abcdefghijkl",
    days_ago: float = 0.0,
    **data: Any,
) -> int:
    insert = """
        INSERT INTO anomaly_evidence
            (anomaly_id, info_hash_id, kind, points, block_from, block_to, peer_id, text, data, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() - $10 * interval '1 day') RETURNING id
    """
    first, last = blocks or (None, None)
    text = f"received {points:g} times the size"
    values = (anomaly_id, torrent, kind.value, points, first, last, peer_id, text, json.dumps(data), days_ago)
    return int(await database.fetchval(insert, *values))
