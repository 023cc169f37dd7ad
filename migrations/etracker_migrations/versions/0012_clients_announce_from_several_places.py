"""Record where sessions announced from, and how many snatches of a torrent the guests of an address prefix had."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE announces
        ADD COLUMN place bigint NOT NULL DEFAULT 0,
        ADD COLUMN others bytea,
        ADD COLUMN most_left bigint NOT NULL DEFAULT -1
    """,
    """
    COMMENT ON COLUMN announces.peer_id IS 'for a guest since facts of version 2: its 16-byte hash'
    """,
    """
    COMMENT ON COLUMN announces.place
        IS 'number of the address, port and infohash last announced from and for; 0 if unknown'
    """,
    "COMMENT ON COLUMN announces.others IS 'the bases of its other places, packed; null if there are none'",
    """
    COMMENT ON COLUMN announces.most_left
        IS 'the most ever reported as left, 0 if it began with everything; -1 if unknown'
    """,
    "CREATE INDEX ix_announces_guests ON announces (id) WHERE key_id IS NULL",
    """
    CREATE TABLE guest_snatches (
        info_hash_id bigint NOT NULL,
        prefix bytea NOT NULL,
        number integer NOT NULL,
        last_time timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_guest_snatches PRIMARY KEY (info_hash_id, prefix),
        CONSTRAINT fk_guest_snatches_info_hash_id_infohashes
            FOREIGN KEY (info_hash_id) REFERENCES infohashes (id) ON DELETE CASCADE
    )
    """,
    "COMMENT ON TABLE guest_snatches IS 'how many snatches of a torrent by guests of an address prefix were counted'",
    "COMMENT ON COLUMN guest_snatches.prefix IS 'address prefix, 7 bytes as in a fact'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE guest_snatches")
    op.execute("DROP INDEX ix_announces_guests")
    op.execute("ALTER TABLE announces DROP COLUMN place, DROP COLUMN others, DROP COLUMN most_left")
    op.execute("COMMENT ON COLUMN announces.peer_id IS NULL")
