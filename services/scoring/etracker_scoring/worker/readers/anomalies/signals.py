"""What the detector remembers of keys and guests in a torrent, as rows."""

from collections.abc import Collection, Mapping

from etracker_scoring.detection.records import Identity
from etracker_scoring.detection.signals import Signals, unpack_signals
from etracker_scoring.worker.faults import Faults
from etracker_scoring.worker.store import Rows, columns

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


async def load_signals(members: Collection[Member], rows: Rows, faults: Faults) -> dict[Member, Signals | None]:
    """Return what is remembered of these; most have nothing. None: it can't be read, so it is to be forgotten."""
    remembered: dict[Member, Signals | None] = {}
    for info_hash_id, identity, state in await rows.fetch(LOAD_SIGNALS, *columns(members)) if members else ():
        try:
            remembered[info_hash_id, identity] = unpack_signals(state)
        except Exception as error:  # noqa: BLE001 - see Faults
            faults.note("stored_signals", error, torrent=info_hash_id)
            remembered[info_hash_id, identity] = None
    return remembered


async def store_signals(changed: Mapping[Member, tuple[bytes | None, float]], rows: Rows) -> None:
    """Write what changed, packed, each with the time of the last announce (Unix seconds)."""
    kept = [(*member, state, seen) for member, (state, seen) in sorted(changed.items()) if state]
    await rows.write("signals", _PUT_SIGNALS, kept)
    gone = [member for member, (state, _) in changed.items() if state is None]
    if gone:
        await rows.fetch(_FORGET_SIGNALS, *columns(gone))
