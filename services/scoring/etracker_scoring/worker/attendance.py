"""In which blocks a session announced: bitmaps that fit into a signed bigint."""

from etracker_scoring.worker.records import Session
from etracker_shared.agreements.anomalies import BLOCK_SECONDS

_BLOCK_MS = BLOCK_SECONDS * 1000
_BITS = 64
_SIGN = 1 << _BITS - 1
_MASK = (1 << _BITS) - 1


def first_block(left: int) -> tuple[int, int]:
    """Return the bitmaps of a session that begins now: where it announced, and where with nothing left."""
    return 1, int(left == 0)


def attended(session: Session, at_ms: int, left: int) -> tuple[int, int]:
    """Return the bitmaps after an announce, as of its block."""
    passed = at_ms // _BLOCK_MS - session.last_seen_ms // _BLOCK_MS
    if not passed:  # nearly always
        return session.present | 1, session.seeded | (left == 0)
    return shifted(session.present, passed) | 1, shifted(session.seeded, passed) | (left == 0)


def shifted(bitmap: int, blocks: int) -> int:
    """Return a bitmap as of some blocks later; an announce 64 blocks ago or earlier is forgotten."""
    if blocks >= _BITS:
        return 0
    bits = bitmap << blocks & _MASK
    return bits - (1 << _BITS) if bits & _SIGN else bits
