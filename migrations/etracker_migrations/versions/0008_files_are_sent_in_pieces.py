"""Read torrent files in pieces: they are stored uncompressed, and marked once they have been found fit to send.

Reading a piece of a compressed value means decompressing everything before it. Existing files keep their form
until they are first downloaded, when the admin API checks, rewrites and marks them.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# An AFTER trigger, since a BEFORE UPDATE trigger would lock each row whose counters change.
STATEMENTS = (
    "ALTER TABLE infohashes ALTER COLUMN file SET STORAGE EXTERNAL, ADD COLUMN file_mark bigint",
    """
    COMMENT ON COLUMN infohashes.file_mark
        IS 'changes with file; null: file not checked yet; 0: file is not a torrent'
    """,
    """
    CREATE FUNCTION unmark_file() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE infohashes SET file_mark = NULL WHERE id = NEW.id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER infohashes_file_changed AFTER UPDATE OF file ON infohashes FOR EACH ROW
        WHEN (NEW.file_mark IS NOT DISTINCT FROM OLD.file_mark AND NEW.file IS DISTINCT FROM OLD.file)
        EXECUTE FUNCTION unmark_file()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER infohashes_file_changed ON infohashes")
    op.execute("DROP FUNCTION unmark_file()")
    op.execute("ALTER TABLE infohashes ALTER COLUMN file SET STORAGE EXTENDED, DROP COLUMN file_mark")
