"""Keys as rows of ``peers``: what judging one takes."""

from datetime import UTC, datetime

import asyncpg

from etracker_scoring.domain.newcomers import Neighbour
from etracker_scoring.domain.records import Key
from etracker_scoring.domain.score import KeyHistory
from etracker_scoring.domain.tier import HeldTier, Origin
from etracker_shared.tiers import Tier

KEY_COLUMNS = """id, key_hash, score_time, score_recent, score_average, score_length_days, score_owed, score_paid,
    snatched, seeded_until, tier, falling_since, grace, stained, origin_time,
    CASE WHEN notice_told_time IS NULL THEN notice_time END"""
"""What :func:`parse_key` takes, in its order."""

KEY_WIDTH = 16

_TIERS = tuple(Tier)


def parse_key(row: asyncpg.Record) -> Key:
    """Make a key of the first :data:`KEY_WIDTH` columns of a row."""
    (key_id, key_hash, at, recent, average, length_days, owed, paid, snatches, seeded_until, *rest) = row[:KEY_WIDTH]
    tier, falling_since, grace, stained, origin_time, untold_time = rest
    return Key(
        key_id,
        key_hash,
        KeyHistory(seconds(at), recent, average, length_days, owed, paid, snatches, seconds(seeded_until)),
        HeldTier(_TIERS[tier], falling_since and falling_since.timestamp()),
        Origin(grace=grace, stained=stained, since=origin_time and origin_time.timestamp()),
        untold_time and milliseconds(untold_time),
    )


def parse_neighbour(row: asyncpg.Record) -> Neighbour:
    """Make a neighbour of a key's columns, its first prefix and its last announce."""
    return Neighbour(parse_key(row), row[KEY_WIDTH], row[KEY_WIDTH + 1].timestamp())


def seconds(moment: datetime | None) -> float:
    """Return Unix seconds, 0 for never."""
    return moment.timestamp() if moment else 0.0


def milliseconds(moment: datetime) -> int:
    """Return Unix milliseconds."""
    return round(moment.timestamp() * 1000)


def moment(unix_seconds: float) -> datetime:
    """Return the moment of Unix seconds."""
    return datetime.fromtimestamp(unix_seconds, UTC)


def moment_or_never(unix_seconds: float | None) -> datetime | None:
    """Return the moment of Unix seconds, None for 0 and None."""
    return datetime.fromtimestamp(unix_seconds, UTC) if unix_seconds else None
