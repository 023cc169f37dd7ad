"""The rows that the balance of swarms is judged by, and those that it leaves."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from etracker_scoring.detection.records import Content, Identity, Presence, SwarmBlock, Traffic
from etracker_scoring.errors import BatchConflictError, postgres_errors
from etracker_scoring.worker.attendance import shifted
from etracker_scoring.worker.store import Rows
from etracker_scoring.worker.sums import capped
from etracker_scoring.worker.traffic_ring import BLOCKS_PER_DAY, KEPT_BLOCKS, slot_of
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, TRAFFIC_SLOTS, WINDOW_BLOCKS

TORRENTS_AT_ONCE = 200
SWARM_BLOCKS_LAST = 30 * BLOCKS_PER_DAY
_DAY = 86_400
EVIDENCE_LASTS = 90 * _DAY
SIGNALS_LAST = 14 * _DAY
ADDRESSES_LAST = _DAY
_ALL_BITS = 2**64 - 1

_BEGIN = "INSERT INTO detection_progress (id, block, info_hash_id) VALUES (0, $1, 0) ON CONFLICT (id) DO NOTHING"
_PROGRESS = "SELECT block, info_hash_id FROM detection_progress"
_MOVE = """
UPDATE detection_progress SET block = $3, info_hash_id = $4 WHERE block = $1 AND info_hash_id = $2 RETURNING id
"""

_NEXT_TORRENTS = f"""
SELECT info_hash_id FROM traffic_blocks WHERE slot = $1 AND block = $2 AND info_hash_id > $3
GROUP BY info_hash_id ORDER BY info_hash_id LIMIT {TORRENTS_AT_ONCE}
"""  # noqa: S608 - made of this code's own words

_CONTENTS = """
SELECT id, length, piece_length, private FROM infohashes WHERE id = ANY($1::bigint[]) ORDER BY id FOR KEY SHARE
"""

_TRAFFIC = """
SELECT info_hash_id, block, identity, uploaded, received, dropped
FROM unnest($1::smallint[], $2::int[]) wanted (slot, block) CROSS JOIN LATERAL (
    SELECT info_hash_id, identity, uploaded, received, dropped FROM traffic_blocks
    WHERE traffic_blocks.slot = wanted.slot AND traffic_blocks.block = wanted.block AND info_hash_id = ANY($3::bigint[])
) stored ORDER BY info_hash_id, block, identity
"""

# One torrent after the other: the index of blocks looks cheaper to Postgres, but all torrents are in it.
_HISTORY = """
SELECT wanted.id, block, uploaded, received, noise, cusum, onset, trusted
FROM unnest($1::bigint[]) wanted (id) CROSS JOIN LATERAL (
    SELECT * FROM swarm_blocks WHERE info_hash_id = wanted.id AND block BETWEEN $2 AND $3 ORDER BY info_hash_id, block
) stored
"""

# A guest's session is stored under its key hash.
_PRESENCE = """
SELECT info_hash_id, coalesce(int8send(key_id), peer_id) AS identity, date_part('epoch', last_seen) AS last_seen,
    present, seeded
FROM announces WHERE info_hash_id = ANY($1::bigint[]) AND last_seen >= to_timestamp($2)
"""

_STORE_SWARMS = """
INSERT INTO swarm_blocks (info_hash_id, block, uploaded, received, noise, cusum, onset, trusted)
SELECT * FROM unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[], $5::float8[], $6::float8[], $7::int[],
    $8::smallint[])
"""

_FORGET_SWARM_BLOCKS = """
DELETE FROM swarm_blocks WHERE ctid = ANY (ARRAY(SELECT ctid FROM swarm_blocks WHERE block < $1 LIMIT $2))
"""

_FORGET_EVIDENCE = """
DELETE FROM anomaly_evidence WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM anomaly_evidence WHERE at < to_timestamp($1) LIMIT $2
))
"""

_FORGET_SIGNALS = """
DELETE FROM signals WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM signals WHERE last_seen < to_timestamp($1) LIMIT $2
))
"""

_FORGET_ADDRESSES = """
DELETE FROM anomaly_addresses WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM anomaly_addresses WHERE last_seen < to_timestamp($1) LIMIT $2
))
"""

# Nothing is held against these any more, and nobody decided about them; their evidence was deleted before.
_FORGET_ANOMALIES = """
DELETE FROM anomalies WHERE id = ANY (ARRAY(
    SELECT id FROM anomalies WHERE state IN (0, 3) AND override IS NULL AND applied IS NULL AND note = ''
    AND since < to_timestamp($1) AND score_time < to_timestamp($1)
    AND NOT EXISTS (SELECT FROM anomaly_evidence WHERE anomaly_id = anomalies.id)
    AND NOT EXISTS (SELECT FROM anomaly_appeals WHERE anomaly_id = anomalies.id)
    ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
)) AND state IN (0, 3)
"""


class Progress(NamedTuple):
    """The block being judged, and the last torrent judged in it."""

    block: int
    info_hash_id: int


async def begin(pool: asyncpg.Pool, block: int) -> Progress:
    """Return how far blocks have been judged; the first time, that is up to the current block."""
    with postgres_errors():
        found = await pool.fetch(_PROGRESS)
        if not found:
            await pool.execute(_BEGIN, block)
            found = await pool.fetch(_PROGRESS)
    return Progress(*found[0])


async def lock_progress(rows: Rows) -> Progress:
    """Return how far blocks have been judged, and keep others from moving it."""
    (row,) = await rows.fetch(f"{_PROGRESS} FOR UPDATE")
    return Progress(row["block"], row["info_hash_id"])


async def move(before: Progress, after: Progress, rows: Rows) -> None:
    """Move on.

    Raises:
        BatchConflictError: somebody else did.
    """
    if not await rows.fetch(_MOVE, *before, *after):
        raise BatchConflictError("detection_progress")


async def next_torrents(progress: Progress, rows: Rows) -> list[int]:
    """Return the next torrents with traffic in a block."""
    found = await rows.fetch(_NEXT_TORRENTS, slot_of(progress.block), *progress)
    return [row["info_hash_id"] for row in found]


async def load_contents(torrents: Sequence[int], rows: Rows) -> dict[int, Content]:
    """Return the content of torrents; those deleted since are left out."""
    found = await rows.fetch(_CONTENTS, torrents)
    return {row["id"]: Content(row["length"], row["piece_length"], bool(row["private"])) for row in found}


async def load_traffic(
    torrents: Sequence[int], blocks: range, rows: Rows
) -> defaultdict[int, dict[int, dict[Identity, Traffic]]]:
    """Return the traffic of torrents in some blocks, by torrent, block and member."""
    traffic: defaultdict[int, dict[int, dict[Identity, Traffic]]] = defaultdict(dict)
    slots = [slot_of(block) for block in blocks]
    for row in await rows.fetch(_TRAFFIC, slots, list(blocks), torrents):
        torrent, block, identity, *amounts = row
        traffic[torrent].setdefault(block, {})[identity] = Traffic(*amounts)
    return traffic


async def load_history(torrents: Sequence[int], block: int, rows: Rows) -> defaultdict[int, list[SwarmBlock]]:
    """Return the earlier blocks of the window, by torrent."""
    history: defaultdict[int, list[SwarmBlock]] = defaultdict(list)
    for row in await rows.fetch(_HISTORY, torrents, block + 1 - WINDOW_BLOCKS, block - 1):
        torrent, at, uploaded, received, noise, cusum, onset, trusted = row
        history[torrent].append(SwarmBlock(at, uploaded, received, noise, cusum, onset, bool(trusted)))
    return history


async def load_presence(torrents: Sequence[int], block: int, rows: Rows) -> defaultdict[int, dict[Identity, Presence]]:
    """Return in which blocks members announced, over all their sessions."""
    presence: defaultdict[int, dict[Identity, Presence]] = defaultdict(dict)
    since = (block + 1 - WINDOW_BLOCKS) * BLOCK_SECONDS
    for row in await rows.fetch(_PRESENCE, torrents, float(since)):
        members, identity = presence[row["info_hash_id"]], row["identity"]
        present, seeded = (presence_as_of(block, row["last_seen"], row[name]) for name in ("present", "seeded"))
        known = members.get(identity, Presence(block, 0, 0))
        members[identity] = Presence(block, known.present | present, known.seeded | seeded)
    return presence


def presence_as_of(block: int, last_seen: float, bitmap: int) -> int:
    """Return a session's bitmap as it is seen from a block."""
    passed = block - int(last_seen) // BLOCK_SECONDS
    return (shifted(bitmap, passed) if passed > 0 else (bitmap & _ALL_BITS) >> -passed) & _ALL_BITS


async def store_swarms(swarms: Sequence[tuple[int, SwarmBlock]], rows: Rows) -> None:
    """Write the balances of a block."""
    values = [
        (torrent, swarm.block, capped(swarm.uploaded), capped(swarm.received), *swarm[3:-1], int(swarm.trusted))
        for torrent, swarm in swarms
    ]
    await rows.write("swarm_blocks", _STORE_SWARMS, values)


async def forget_old(pool: asyncpg.Pool, now: float, rows_at_once: int = 10_000) -> None:
    """Delete old rows, and empty the parts of the ring of days that come next."""
    block = int(now) // BLOCK_SECONDS
    with postgres_errors():
        await _forget(pool, _FORGET_SWARM_BLOCKS, block - SWARM_BLOCKS_LAST, rows_at_once)
        await _forget(pool, _FORGET_EVIDENCE, now - EVIDENCE_LASTS, rows_at_once)
        await _forget(pool, _FORGET_SIGNALS, now - SIGNALS_LAST, rows_at_once)
        await _forget(pool, _FORGET_ADDRESSES, now - ADDRESSES_LAST, rows_at_once)
        await _forget(pool, _FORGET_ANOMALIES, now - EVIDENCE_LASTS, rows_at_once)
        for ahead in (1, 2):
            await _empty(pool, slot_of(block + ahead * BLOCKS_PER_DAY), block - KEPT_BLOCKS)


async def _forget(pool: asyncpg.Pool, statement: str, before: float, rows_at_once: int) -> None:
    while await pool.execute(statement, before, rows_at_once) == f"DELETE {rows_at_once}":
        pass


async def _empty(pool: asyncpg.Pool, slot: int, kept_from: int) -> None:
    """Empty a part of the ring if it has rows of its earlier use."""
    if slot not in range(TRAFFIC_SLOTS):
        raise ValueError(slot)
    old = "SELECT FROM traffic_blocks WHERE slot = $1 AND block < $2 LIMIT 1"
    if await pool.fetchrow(old, slot, kept_from) is not None:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = '2s'")
            await connection.execute(f"TRUNCATE traffic_blocks_{slot}")
