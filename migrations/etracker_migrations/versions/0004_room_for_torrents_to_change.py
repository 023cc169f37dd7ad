"""Leave room in the pages of infohashes, so that a row with new sums is written to the page of the row it replaces.

A row version on another page needs a new entry in every index, and infohashes has ten.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE infohashes SET (fillfactor = 70)")


def downgrade() -> None:
    op.execute("ALTER TABLE infohashes RESET (fillfactor)")
