"""Record what keys downloaded without finishing, who may pay for it, who downloads a torrent, and a bound on credit.

Nobody owes anything for the past: downloads count from now on. Debts that exist have no ``owed_by`` and are paid by any
client of the key, as before. Sums of scores and tiers stay as they are.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Adding a column with a constant default doesn't rewrite the table.
STATEMENTS = (
    "ALTER TABLE peers ADD COLUMN score_drawn double precision NOT NULL DEFAULT 0",
    "COMMENT ON COLUMN peers.score_time IS 'the six sums below stand as of this moment'",
    "COMMENT ON COLUMN peers.score_drawn IS 'seeding weight times seconds credited lately'",
    """
    ALTER TABLE memberships
        ADD COLUMN taken bigint NOT NULL DEFAULT 0,
        ADD COLUMN owed_share double precision NOT NULL DEFAULT 0,
        ADD COLUMN owed_by bytea,
        ADD COLUMN paid_until timestamptz
    """,
    """
    COMMENT ON COLUMN memberships.owed_share
        IS 'part of the torrent for which seeding was or is owed, 0 to 1'
    """,
    """
    COMMENT ON COLUMN memberships.owed_by
        IS 'peer_id of the client that downloaded: its seeding pays the debt; null: any of the key''s does'
    """,
    "COMMENT ON COLUMN memberships.paid_until IS 'seeding up to here has paid the debt'",
    "ALTER TABLE announces ADD COLUMN taken bigint NOT NULL DEFAULT 0",
    "COMMENT ON COLUMN announces.taken IS 'bytes that it downloaded here'",
    "ALTER TABLE infohashes ADD COLUMN demand bytea",
    """
    COMMENT ON COLUMN infohashes.demand
        IS 'who downloaded last and when, from two address prefixes, packed'
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE infohashes DROP COLUMN demand")
    op.execute("ALTER TABLE announces DROP COLUMN taken")
    op.execute(
        "ALTER TABLE memberships DROP COLUMN taken, DROP COLUMN owed_share, DROP COLUMN owed_by, DROP COLUMN paid_until"
    )
    op.execute("ALTER TABLE peers DROP COLUMN score_drawn")
    op.execute("COMMENT ON COLUMN peers.score_time IS 'the five sums below stand as of this moment'")
