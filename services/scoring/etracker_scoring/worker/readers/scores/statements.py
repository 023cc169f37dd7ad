"""Statements that write keys. All rows except those of overtaken neighbours belong to keys of this worker's shards."""

from typing import Any

from etracker_scoring.scores.formula import KeyHistory
from etracker_scoring.scores.tiers import HeldTier
from etracker_scoring.worker.sums import capped_addition

ADD_TO_KEYS = f"""
UPDATE peers stored SET snatched = stored.snatched + added.snatches, {capped_addition("uploaded")},
    {capped_addition("downloaded")}, {capped_addition("seeding_seconds")},
    last_seen = greatest(stored.last_seen, to_timestamp(added.last_seen)),
    seeded_until = to_timestamp(new_seeded_until), score_time = to_timestamp(new_time), score_recent = recent,
    score_average = average, score_length_days = length_days, score_owed = owed, score_paid = paid,
    score_drawn = drawn, tier = new_tier, falling_since = to_timestamp(new_falling_since), score = new_score
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::float8[], $7::float8[],
    $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::float8[], $13::float8[], $14::float8[],
    $15::smallint[], $16::float8[], $17::float8[])
    added (id, snatches, uploaded, downloaded, seeding_seconds, last_seen, new_seeded_until, new_time, recent, average,
    length_days, owed, paid, drawn, new_tier, new_falling_since, new_score)
WHERE stored.id = added.id
"""  # noqa: S608 - made of this code's own words


def columns_of(history: KeyHistory, held: HeldTier, score: float) -> tuple[Any, ...]:
    """Return the columns of :data:`ADD_TO_KEYS` that follow the sums."""
    at, *sums = history[:7]
    return history.seeded_until or None, at or None, *sums, held.tier, held.falling_since or None, score


# Two workers may take graces from each other's keys, so each first locks all its rows in the order of their ids.
LOCK_KEYS = "SELECT id FROM peers WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE"

PUT_ORIGINS = """
UPDATE peers SET origin_time = to_timestamp(new.at), origin_prefix = new.prefix, grace = new.grace,
    stained = new.stained
FROM unnest($1::bigint[], $2::float8[], $3::bytea[], $4::boolean[], $5::boolean[])
    new (id, at, prefix, grace, stained)
WHERE peers.id = new.id
"""

# The tier that was held only because of the grace goes with it, and no notice says that the key has lost it.
TAKE_GRACE = """
UPDATE peers SET grace = false,
    tier = CASE WHEN tier = 2 AND falling_since IS NULL AND score < steady_score THEN 1 ELSE tier END
FROM unnest($1::bigint[], $2::float8[]) overtaken (id, steady_score) WHERE peers.id = overtaken.id
"""

DELIVER_NOTICES = """
UPDATE peers SET notice_told_time = to_timestamp(delivered.at)
FROM unnest($1::bigint[], $2::float8[]) delivered (id, at) WHERE peers.id = delivered.id
"""

PUT_NOTICES = """
UPDATE peers SET notice = new.text, notice_time = to_timestamp(new.at), notice_told_time = NULL
FROM unnest($1::bigint[], $2::text[], $3::float8[]) new (id, text, at) WHERE peers.id = new.id
"""

# The snatches reader may write the same row in the same transaction: whichever of the two is first inserts it.
PUT_CREDITS = """
INSERT INTO memberships (key_id, info_hash_id, first_seen, debt_seconds, credited_until, paid_until, credited_by)
SELECT key_id, info_hash_id, to_timestamp(first_seen), debt_seconds, to_timestamp(credited), to_timestamp(paid),
    credited_by
FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::float8[], $5::float8[], $6::float8[], $7::bytea[])
    new (key_id, info_hash_id, first_seen, debt_seconds, credited, paid, credited_by)
ON CONFLICT (key_id, info_hash_id) DO UPDATE SET debt_seconds = excluded.debt_seconds,
    credited_until = excluded.credited_until, paid_until = excluded.paid_until, credited_by = excluded.credited_by
"""

# One newcomer's grace per prefix, whichever shards the keys are in: a second worker waits here until the first has
# stored its decisions. The end of the transaction releases the locks.
LOCK_PREFIXES = "SELECT pg_advisory_xact_lock($1, lock) FROM unnest($2::int[]) lock"
