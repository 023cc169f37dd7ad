"""What the detector remembers of keys and guests in a torrent, as rows."""

from collections.abc import Collection, Mapping

from structlog import get_logger

from etracker_scoring.detection.records import Identity
from etracker_scoring.detection.signals import Signals, pack_signals, unpack_signals
from etracker_scoring.worker.store import Rows, columns

log = get_logger("anomalies")

Member = tuple[int, Identity]
"""Torrent id, and key or guest."""

LOAD_SIGNALS = """
SELECT info_hash_id, identity, state FROM unnest($1::bigint[], $2::bytea[]) wanted (info_hash_id, identity)
JOIN signals USING (info_hash_id, identity)
"""

_PUT_SIGNALS = """
INSERT INTO signals (info_hash_id, identity, state, last_seen)
SELECT info_hash_id, identity, state, to_timestamp(seen)
FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::float8[]) new (info_hash_id, identity, state, seen)
ON CONFLICT (info_hash_id, identity) DO UPDATE SET state = excluded.state, last_seen = excluded.last_seen
"""

_FORGET_SIGNALS = """
DELETE FROM signals USING unnest($1::bigint[], $2::bytea[]) gone (info_hash_id, identity)
WHERE signals.info_hash_id = gone.info_hash_id AND signals.identity = gone.identity
"""


async def load_signals(members: Collection[Member], rows: Rows) -> dict[Member, Signals]:
    """Return what is remembered of these; most have nothing.

    What another release has written may be unreadable: it is forgotten, since statistics must not wait for it.
    """
    found = await rows.fetch(LOAD_SIGNALS, *columns(members)) if members else []
    readable = {}
    for info_hash_id, identity, state in found:
        try:
            readable[info_hash_id, identity] = unpack_signals(state)
        except ValueError as error:
            log.warning("signals_forgotten", torrent=info_hash_id, reason=str(error))
    return readable


async def store_signals(changed: Mapping[Member, tuple[Signals | None, float]], rows: Rows) -> None:
    """Write what changed, each with the time of the last announce (Unix seconds)."""
    kept = [(*member, pack_signals(state), seen) for member, (state, seen) in sorted(changed.items()) if state]
    await rows.write("signals", _PUT_SIGNALS, kept)
    gone = [member for member, (state, _) in changed.items() if state is None]
    if gone:
        await rows.fetch(_FORGET_SIGNALS, *columns(gone))
