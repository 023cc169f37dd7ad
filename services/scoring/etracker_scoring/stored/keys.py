"""Keys as rows of ``peers``.

Columns are read by position here, because an announce waits for this and the worker does it for every key of a
batch; tests/integration/scoring/test_columns.py compares the names.
"""

from collections.abc import Sequence
from typing import Any, overload

import asyncpg

from etracker_scoring.scores.formula import KeyHistory
from etracker_scoring.scores.keys import Key
from etracker_scoring.scores.newcomers import Neighbour
from etracker_scoring.scores.tiers import HeldTier, Origin
from etracker_shared.language.tier import Tier

KEY_COLUMNS = """id, key_hash, date_part('epoch', score_time) AS at_seconds, score_recent AS recent,
    score_average AS average, score_length_days AS length_days, score_owed AS owed, score_paid AS paid,
    score_drawn AS drawn, snatched AS snatches, seeding_seconds, date_part('epoch', seeded_until) AS seeded_until, tier,
    date_part('epoch', falling_since) AS falling_since, grace, stained, date_part('epoch', origin_time) AS since,
    CASE WHEN notice_told_time IS NULL THEN date_part('epoch', notice_time) END AS undelivered_since, frozen,
    confirmed_time IS NOT NULL AS confirmed"""
"""The columns that :func:`parse_key` takes, in its order. Times are Unix seconds: creating a datetime takes longer than
the rest of a row."""

KEY_WIDTH = 20

FROZEN_SUMS = 9
"""``peers.frozen`` begins with the first fields of a KeyHistory; then come the fields of a HeldTier."""

_NEIGHBOURS = f"""
SELECT {KEY_COLUMNS}, origin_prefix AS prefix, date_part('epoch', last_seen) AS last_seen FROM peers WHERE
"""  # noqa: S608 - made of this code's own words

# Keys that hold a grace, and keys that may be free-riders; only some of the latter if a prefix has many of them.
FIND_NEIGHBOURS = f"""
{_NEIGHBOURS} origin_prefix = ANY($1) AND last_seen > to_timestamp($2) AND grace
UNION ALL
SELECT neighbour.* FROM unnest($1::bytea[]) wanted (prefix), LATERAL (
    {_NEIGHBOURS} origin_prefix = wanted.prefix AND NOT grace AND tier <= 1 AND snatched > 0
        AND last_seen > to_timestamp($2)
    LIMIT 100
) neighbour
"""  # noqa: S608 - as above

_TIERS = tuple(Tier)


def parse_key(row: asyncpg.Record) -> Key:
    """Create a key from the first :data:`KEY_WIDTH` columns of a row."""
    key_id, key_hash, at, recent, average, length_days, owed, paid, drawn = row[:9]
    snatches, seeding_seconds, seeded_until = row[9:12]
    tier, falling_since, grace, stained, since, undelivered_since, frozen, confirmed = row[12:KEY_WIDTH]
    return Key(
        key_id,
        key_hash,
        KeyHistory(
            at or 0.0,
            recent,
            average,
            length_days,
            owed,
            paid,
            drawn,
            snatches,
            float(seeding_seconds),
            seeded_until or 0.0,
        ),
        HeldTier(_TIERS[tier], falling_since),
        Origin(grace=grace, stained=stained, since=since),
        milliseconds(undelivered_since),
        _frozen(frozen),
        confirmed,
    )


def _frozen(stored: Sequence[Any] | None) -> KeyHistory | None:
    if stored is None or len(stored) < FROZEN_SUMS:  # of a release that froze less
        return None
    return KeyHistory(*stored[:FROZEN_SUMS])


def parse_neighbour(row: asyncpg.Record) -> Neighbour:
    """Create a neighbour from a key's columns, its first prefix and its last announce."""
    return Neighbour(parse_key(row), row[KEY_WIDTH], row[KEY_WIDTH + 1])


@overload
def milliseconds(unix_seconds: float) -> int: ...
@overload
def milliseconds(unix_seconds: None) -> None: ...
def milliseconds(unix_seconds: float | None) -> int | None:
    """Return Unix milliseconds, None for never."""
    return None if unix_seconds is None else round(unix_seconds * 1000)
