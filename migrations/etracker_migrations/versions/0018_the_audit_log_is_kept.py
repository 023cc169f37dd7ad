"""The audit log is kept: of its rows only those that count reads may change."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION refuse_a_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE insufficient_privilege USING MESSAGE = format('rows of %s may not be changed', TG_TABLE_NAME);
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER audit_log_is_kept BEFORE UPDATE ON audit_log
            FOR EACH ROW WHEN (OLD.read_hour IS NULL) EXECUTE FUNCTION refuse_a_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER audit_log_is_kept ON audit_log")
    op.execute("DROP FUNCTION refuse_a_change()")
