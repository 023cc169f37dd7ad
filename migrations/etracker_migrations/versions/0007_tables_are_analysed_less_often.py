"""Analyse tables that announces update only after twice as many changes as they have rows, not a tenth as many.

A busy tracker changes a tenth of its keys and torrents every minute, so autovacuum analysed both tables every minute.
But the planner's statistics about them change no faster than the tables grow.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("announces", "infohashes", "peers")


def upgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} SET (autovacuum_analyze_scale_factor = 2)")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} RESET (autovacuum_analyze_scale_factor)")
