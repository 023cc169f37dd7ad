"""Writes to the history of keys' tiers."""

# Two changes within a millisecond count as one.
ADD_TIER_CHANGES = """
INSERT INTO tier_changes (key_id, at, tier, score)
SELECT key_id, to_timestamp(at), tier, score
FROM unnest($1::bigint[], $2::float8[], $3::smallint[], $4::float8[]) new (key_id, at, tier, score)
ON CONFLICT (key_id, at) DO UPDATE SET tier = excluded.tier, score = excluded.score
"""
