"""Check and hash a key only when it is inserted or changed, not whenever its counters change.

Postgres 18 evaluates a CHECK at every UPDATE of a row. It also reads the expression of a generated column again for
each row of an UPDATE, even if the column doesn't change. Together these took a quarter of the time of the worker's
statements (docs/adr/0042).
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Before an insert, the trigger fills in the hash. After an update it does so with another update: a BEFORE UPDATE
# trigger would lock each row whose counters change. The key's form is checked before the cast to bytea, which reads
# backslashes as escapes.
_IDENTIFY = """
CREATE FUNCTION identify_key() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE hash bytea;
BEGIN
    IF NEW.announce_key !~ '^[A-Za-z0-9_-]{1,64}$' THEN
        RAISE check_violation USING
            MESSAGE = 'an announce key has 1 to 64 letters, digits, hyphens and underscores',
            TABLE = 'peers', COLUMN = 'announce_key', CONSTRAINT = 'ck_peers_announce_key_form';
    END IF;
    hash := substring(sha256(NEW.announce_key::bytea) FROM 1 FOR 16);
    IF TG_WHEN = 'BEFORE' THEN
        NEW.key_hash := hash;
        RETURN NEW;
    END IF;
    UPDATE peers SET key_hash = hash WHERE id = NEW.id AND key_hash <> hash;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute(_IDENTIFY)
    op.execute("ALTER TABLE peers ALTER COLUMN key_hash DROP EXPRESSION, DROP CONSTRAINT ck_peers_announce_key_form")
    op.execute("CREATE TRIGGER peers_identified BEFORE INSERT ON peers FOR EACH ROW EXECUTE FUNCTION identify_key()")
    op.execute(
        "CREATE TRIGGER peers_identified_anew AFTER UPDATE OF announce_key, key_hash ON peers"
        " FOR EACH ROW EXECUTE FUNCTION identify_key()"
    )
    op.execute("COMMENT ON COLUMN peers.key_hash IS 'the first 16 bytes of SHA-256 of the key; a trigger sees to it'")
    _tell_of_updates("announce_key, key_hash, disabled_time")


def downgrade() -> None:
    _tell_of_updates("announce_key, disabled_time")
    op.execute("DROP TRIGGER peers_identified_anew ON peers")
    op.execute("DROP TRIGGER peers_identified ON peers")
    op.execute("DROP FUNCTION identify_key()")
    op.execute(
        "ALTER TABLE peers DROP COLUMN key_hash, ADD COLUMN key_hash bytea NOT NULL"
        " GENERATED ALWAYS AS (substring(sha256(announce_key::bytea) FROM 1 FOR 16)) STORED"
        " CONSTRAINT uq_peers_key_hash UNIQUE,"
        " ADD CONSTRAINT ck_peers_announce_key_form CHECK (announce_key ~ '^[A-Za-z0-9_-]{1,64}$')"
    )


def _tell_of_updates(columns: str) -> None:
    op.execute("DROP TRIGGER peers_updated ON peers")
    op.execute(
        f"CREATE TRIGGER peers_updated AFTER UPDATE OF {columns} ON peers"
        " FOR EACH ROW EXECUTE FUNCTION notify_updated_key()"
    )
