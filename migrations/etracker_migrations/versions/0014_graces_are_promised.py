"""The newcomer's grace of an address prefix belongs to one key from the moment it is promised."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE graces (
        prefix bytea NOT NULL,
        key_id bigint NOT NULL,
        given_time timestamptz NOT NULL,
        promised boolean NOT NULL,
        CONSTRAINT pk_graces PRIMARY KEY (prefix)
    )
    """,
    "CREATE INDEX ix_graces_key_id ON graces (key_id)",
    """
    COMMENT ON TABLE graces
        IS 'to which key the newcomer''s grace of a prefix was last promised or given; rows last a day'
    """,
    "COMMENT ON COLUMN graces.prefix IS 'address prefix, 7 bytes as in a fact'",
    """
    COMMENT ON COLUMN graces.promised
        IS 'scoring answered an announce with it; otherwise the worker gave it, to the key that announced first'
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE graces")
