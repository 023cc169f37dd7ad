"""The audit log records who read peers' addresses: one row per operator, swarm and hour counts the reads."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CHANGES = "what operators changed, written in the transaction that changed it"


def upgrade() -> None:
    op.execute("ALTER TABLE audit_log ADD COLUMN read_hour timestamptz")
    op.execute(
        "CREATE UNIQUE INDEX uq_audit_log_reads ON audit_log (operator, target, read_hour) WHERE read_hour IS NOT NULL"
    )
    op.execute("COMMENT ON COLUMN audit_log.read_hour IS 'the hour whose reads the row counts; null for a change'")
    op.execute(f"COMMENT ON TABLE audit_log IS '{CHANGES}, and whose addresses they read'")


def downgrade() -> None:
    op.execute(f"COMMENT ON TABLE audit_log IS '{CHANGES}'")
    op.execute("DROP INDEX uq_audit_log_reads")
    op.execute("ALTER TABLE audit_log DROP COLUMN read_hour")
