"""Store only the hash of an announce key.

Keys are inserted as before: triggers replace ``announce_key`` with its hash and leave null. Rows that exist keep their
key in clear until an operator runs ``CALL blank_announce_keys()``; the next release is to blank the rest. No row is
rewritten: the migration takes milliseconds, however many keys there are.

A downgrade can't bring back a key that was stored as a hash only. Such a row gets the placeholder ``hashed-`` and its
hash instead, which takes a minute for a million keys. The key goes on working, because the previous release finds keys
by their hash; but a downgrade to before 0005, which hashes every stored key again, would lose it.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# The form is checked before the cast to bytea, which reads backslashes as escapes. The messages don't repeat the key.
_HASH = """
CREATE FUNCTION hash_announce_key(announce_key text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF announce_key !~ '^[A-Za-z0-9_-]{1,64}$' THEN
        RAISE check_violation USING
            MESSAGE = 'an announce key has 1 to 64 letters, digits, hyphens and underscores',
            TABLE = 'peers', COLUMN = 'announce_key', CONSTRAINT = 'ck_peers_announce_key_form';
    END IF;
    RETURN substring(sha256(announce_key::bytea) FROM 1 FOR 16);
END $$
"""

# A CHECK of the hash's length would run whenever a counter changes (docs/adr/0042). The search path is for pg_restore,
# which sets an empty one: with --data-only the trigger fires on what it copies.
_IDENTIFY = """
CREATE OR REPLACE FUNCTION identify_key() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.announce_key IS NOT NULL THEN
        NEW.key_hash := hash_announce_key(NEW.announce_key);
        NEW.announce_key := NULL;
    END IF;
    IF octet_length(NEW.key_hash) IS DISTINCT FROM 16 THEN
        RAISE not_null_violation USING
            MESSAGE = 'a row of peers needs an announce_key, or instead of it a key_hash of 16 bytes',
            TABLE = 'peers', COLUMN = 'announce_key';
    END IF;
    IF TG_WHEN = 'AFTER' THEN
        UPDATE peers SET key_hash = NEW.key_hash, announce_key = NULL WHERE id = NEW.id;
    END IF;
    RETURN NEW;
END $$
"""

# A trigger before UPDATE would lock each row whose counters change (docs/adr/0042).
_IDENTIFY_UPDATED = """
CREATE TRIGGER peers_identified_again AFTER UPDATE OF announce_key, key_hash ON peers
FOR EACH ROW WHEN (NEW.announce_key IS NOT NULL OR octet_length(NEW.key_hash) <> 16) EXECUTE FUNCTION identify_key()
"""

# Blanking a key changes nothing for its holder: listeners hear of nothing, and caches stay warm.
_NOTIFY_UPDATED = """
CREATE TRIGGER peers_updated AFTER UPDATE OF announce_key, key_hash, disabled_time ON peers
FOR EACH ROW WHEN ((OLD.key_hash, OLD.disabled_time) IS DISTINCT FROM (NEW.key_hash, NEW.disabled_time))
EXECUTE FUNCTION notify_updated_key()
"""

# Rows are locked in the order in which the scoring worker locks them.
_BLANK = """
CREATE PROCEDURE blank_announce_keys(batch_size integer DEFAULT 2000) LANGUAGE plpgsql AS $$
DECLARE
    batch bigint[];
    reached bigint := -1;
    blanked bigint := 0;
BEGIN
    LOOP
        SELECT array_agg(id ORDER BY id) INTO batch FROM (
            SELECT id FROM peers WHERE id > reached AND announce_key IS NOT NULL
            ORDER BY id LIMIT batch_size FOR NO KEY UPDATE
        ) AS clear;
        EXIT WHEN batch IS NULL;
        UPDATE peers SET announce_key = NULL WHERE id = ANY (batch);
        COMMIT;
        reached := batch[cardinality(batch)];
        blanked := blanked + cardinality(batch);
        RAISE NOTICE '% announce keys blanked', blanked;
    END LOOP;
END $$
"""

_COMMENT = "an inserted key is replaced by its hash, leaving null; rows of earlier releases have it in clear"

_IDENTIFY_IN_CLEAR = """
CREATE OR REPLACE FUNCTION identify_key() RETURNS trigger LANGUAGE plpgsql AS $$
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
    op.execute(_HASH)
    op.execute(_IDENTIFY)
    op.execute(_BLANK)
    op.execute("DROP TRIGGER peers_identified_anew ON peers")
    op.execute("DROP TRIGGER peers_updated ON peers")
    op.execute(_IDENTIFY_UPDATED)
    op.execute(_NOTIFY_UPDATED)
    op.execute("ALTER TABLE peers ALTER COLUMN announce_key DROP NOT NULL, DROP CONSTRAINT uq_peers_announce_key")
    op.execute(f"COMMENT ON COLUMN peers.announce_key IS '{_COMMENT}'")


def downgrade() -> None:
    op.execute("DROP TRIGGER peers_updated ON peers")
    op.execute("DROP TRIGGER peers_identified_again ON peers")
    op.execute("UPDATE peers SET announce_key = 'hashed-' || encode(key_hash, 'hex') WHERE announce_key IS NULL")
    op.execute("COMMENT ON COLUMN peers.announce_key IS NULL")
    op.execute(
        "ALTER TABLE peers ALTER COLUMN announce_key SET NOT NULL,"
        " ADD CONSTRAINT uq_peers_announce_key UNIQUE (announce_key)"
    )
    op.execute(_IDENTIFY_IN_CLEAR)
    op.execute("DROP FUNCTION hash_announce_key(text)")
    op.execute("DROP PROCEDURE blank_announce_keys(integer)")
    op.execute(
        "CREATE TRIGGER peers_identified_anew AFTER UPDATE OF announce_key, key_hash ON peers"
        " FOR EACH ROW EXECUTE FUNCTION identify_key()"
    )
    op.execute(
        "CREATE TRIGGER peers_updated AFTER UPDATE OF announce_key, key_hash, disabled_time ON peers"
        " FOR EACH ROW EXECUTE FUNCTION notify_updated_key()"
    )
