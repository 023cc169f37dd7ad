"""Scores: a key's forward-decayed sums, its tier, and the seeding it still owes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Adding a column with a constant default doesn't rewrite the table.
STATEMENTS = (
    """
    ALTER TABLE peers
        ADD COLUMN tier smallint NOT NULL DEFAULT 1,
        ADD COLUMN falling_since timestamptz,
        ADD COLUMN score double precision NOT NULL DEFAULT 0,
        ADD COLUMN score_time timestamptz,
        ADD COLUMN score_recent double precision NOT NULL DEFAULT 0,
        ADD COLUMN score_average double precision NOT NULL DEFAULT 0,
        ADD COLUMN score_length_days double precision NOT NULL DEFAULT 0,
        ADD COLUMN score_owed double precision NOT NULL DEFAULT 0,
        ADD COLUMN score_paid double precision NOT NULL DEFAULT 0,
        ADD COLUMN origin_time timestamptz,
        ADD COLUMN origin_prefix bytea,
        ADD COLUMN grace boolean NOT NULL DEFAULT false,
        ADD COLUMN stained boolean NOT NULL DEFAULT false,
        ADD COLUMN notice text,
        ADD COLUMN notice_time timestamptz,
        ADD COLUMN notice_told_time timestamptz,
        ADD CONSTRAINT ck_peers_tier_known CHECK (tier BETWEEN 0 AND 4)
    """,
    # Index only the keys that matter to newcomers: if a proxy hides all addresses, every key has the same prefix.
    "CREATE INDEX ix_peers_newcomers ON peers (origin_prefix, grace) WHERE grace OR (tier <= 1 AND snatched > 0)",
    "ALTER TABLE peers SET (fillfactor = 80)",
    """
    ALTER TABLE memberships
        ADD COLUMN debt_seconds double precision NOT NULL DEFAULT 0,
        ADD COLUMN credited_until timestamptz,
        ADD COLUMN credited_by bytea
    """,
    "ALTER TABLE memberships SET (fillfactor = 80)",
    """
    CREATE TABLE tier_changes (
        key_id bigint NOT NULL CONSTRAINT fk_tier_changes_key_id_peers REFERENCES peers ON DELETE CASCADE,
        at timestamptz NOT NULL,
        tier smallint NOT NULL,
        score double precision NOT NULL,
        CONSTRAINT pk_tier_changes PRIMARY KEY (key_id, at)
    )
    """,
    """
    CREATE TABLE tier_thresholds (
        tier smallint CONSTRAINT pk_tier_thresholds PRIMARY KEY,
        score double precision NOT NULL,
        changed_time timestamptz NOT NULL DEFAULT now()
    )
    """,
    # Keys that were used before scores existed are treated as newcomers.
    "UPDATE peers SET origin_time = last_seen, grace = true, tier = 2 WHERE last_seen IS NOT NULL",
    "COMMENT ON TABLE tier_changes IS 'the tiers that keys held, and since when'",
    "COMMENT ON TABLE tier_thresholds IS 'what tiers 2, 3 and 4 take, moved nightly with ETRACKER_RECALIBRATE'",
    "COMMENT ON COLUMN peers.tier IS 'the tier held at the last announce, 0 to 4'",
    "COMMENT ON COLUMN peers.falling_since IS 'since when the score deserves a lower tier; null if it does not'",
    "COMMENT ON COLUMN peers.score IS 'as it stood at the last announce, 0 to 100'",
    "COMMENT ON COLUMN peers.score_time IS 'the five sums below stand as of this moment'",
    "COMMENT ON COLUMN peers.score_recent IS 'seeding weight, half-life of a week'",
    "COMMENT ON COLUMN peers.score_average IS 'seeding weight, half-life of four weeks'",
    "COMMENT ON COLUMN peers.score_owed IS 'snatches, decayed'",
    "COMMENT ON COLUMN peers.score_paid IS 'snatches seeded afterwards, decayed'",
    "COMMENT ON COLUMN peers.origin_time IS 'the first announce; null if there was none'",
    "COMMENT ON COLUMN peers.origin_prefix IS 'address prefix of the first announce, 7 bytes as in a fact'",
    "COMMENT ON COLUMN peers.grace IS 'holds the newcomer''s grace of its prefix'",
    "COMMENT ON COLUMN peers.stained IS 'its prefix held a free-rider when it was new'",
    "COMMENT ON COLUMN peers.notice_told_time IS 'when an announce was answered with the notice'",
    "COMMENT ON COLUMN memberships.debt_seconds IS 'seeding still owed for the snatch'",
    "COMMENT ON COLUMN memberships.credited_until IS 'seeding up to here was in the score when credited_by began'",
    "COMMENT ON COLUMN memberships.credited_by IS 'peer_id of the client whose seeding is in the score since'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(sa.text(statement))


def downgrade() -> None:
    op.execute("DROP TABLE tier_changes, tier_thresholds")
    op.execute("ALTER TABLE memberships DROP COLUMN debt_seconds, DROP COLUMN credited_until, DROP COLUMN credited_by")
    op.execute("ALTER TABLE memberships RESET (fillfactor)")
    op.execute("DROP INDEX ix_peers_newcomers")
    added = "tier falling_since score score_time score_recent score_average score_length_days score_owed score_paid"
    added += " origin_time origin_prefix grace stained notice notice_time notice_told_time"
    op.execute(f"ALTER TABLE peers {', '.join(f'DROP COLUMN {column}' for column in added.split())}")
    op.execute("ALTER TABLE peers RESET (fillfactor)")
