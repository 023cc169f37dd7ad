"""Keys as rows of ``peers``: what judging one takes."""

from typing import overload

import asyncpg

from etracker_scoring.domain.newcomers import Neighbour
from etracker_scoring.domain.records import Key
from etracker_scoring.domain.score import KeyHistory
from etracker_scoring.domain.tier import HeldTier, Origin
from etracker_shared.tiers import Tier

KEY_COLUMNS = """id, key_hash, date_part('epoch', score_time), score_recent, score_average, score_length_days,
    score_owed, score_paid, snatched, date_part('epoch', seeded_until), tier, date_part('epoch', falling_since), grace,
    stained, date_part('epoch', origin_time),
    CASE WHEN notice_told_time IS NULL THEN date_part('epoch', notice_time) END"""
"""What :func:`parse_key` takes, in its order. Times come as Unix seconds: making a datetime of one takes longer than
all the rest of a row."""

KEY_WIDTH = 16

_TIERS = tuple(Tier)


def parse_key(row: asyncpg.Record) -> Key:
    """Make a key of the first :data:`KEY_WIDTH` columns of a row."""
    (key_id, key_hash, at, recent, average, length_days, owed, paid, snatches, seeded_until, *rest) = row[:KEY_WIDTH]
    tier, falling_since, grace, stained, origin_time, untold_time = rest
    return Key(
        key_id,
        key_hash,
        KeyHistory(at or 0.0, recent, average, length_days, owed, paid, snatches, seeded_until or 0.0),
        HeldTier(_TIERS[tier], falling_since),
        Origin(grace=grace, stained=stained, since=origin_time),
        milliseconds(untold_time),
    )


def parse_neighbour(row: asyncpg.Record) -> Neighbour:
    """Make a neighbour of a key's columns, its first prefix and its last announce."""
    return Neighbour(parse_key(row), row[KEY_WIDTH], row[KEY_WIDTH + 1])


@overload
def milliseconds(unix_seconds: float) -> int: ...
@overload
def milliseconds(unix_seconds: None) -> None: ...
def milliseconds(unix_seconds: float | None) -> int | None:
    """Return Unix milliseconds, None for never."""
    return None if unix_seconds is None else round(unix_seconds * 1000)
