"""Tables that only the admin API reads: operators, their audit log, statistics over time.

:mod:`~etracker_shared.agreements.tables` says which service writes which table.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from etracker_shared.agreements.columns import metadata, moment


def _grand_total(name: str) -> Column[object]:
    """A sum over the whole tracker. It can't overflow, even if a client claims absurd numbers."""
    return Column(name, Numeric(40, 0), nullable=False, server_default=text("0"))


totals = Table(
    "totals",
    metadata,
    Column("id", SmallInteger, primary_key=True, server_default=text("1")),
    _grand_total("announces"),
    _grand_total("snatches"),
    _grand_total("uploaded_bytes"),
    _grand_total("downloaded_bytes"),
    Column("settled_time", DateTime(timezone=True), comment="when anything was last added"),
    CheckConstraint("id = 1", name="one_row"),
    comment="sums over everything ever settled, moved in the transaction that settles it",
)

torrent_counts = Table(
    "torrent_counts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("torrents", BigInteger, nullable=False, comment="how many came, or with a minus went"),
    comment="differences that add up to the number of torrents",
)

torrent_names = Table(
    "torrent_names",
    metadata,
    Column("info_hash_id", BigInteger, ForeignKey("infohashes.id", ondelete="CASCADE"), primary_key=True),
    Column("words", Text(collation="C"), nullable=False, comment="fold_name(name)"),
    Index("ix_torrent_names_pieces", text("name_pieces(words)"), postgresql_using="gin"),
    comment="names as searches see them: triggers on infohashes see to it",
)

operators = Table(
    "operators",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("key_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the API key"),
    moment("created_time"),
    Column("last_used", DateTime(timezone=True)),
    Column("revoked_time", DateTime(timezone=True), comment="revoked then; the row stays for the audit log"),
    comment="named API keys beside ETRACKER_AUTHORIZATION",
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    moment("at"),
    Column("operator_id", BigInteger, ForeignKey("operators.id"), comment="null for ETRACKER_AUTHORIZATION"),
    Column("operator", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False, server_default=""),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("request_id", Text, nullable=False, server_default=""),
    Column("read_hour", DateTime(timezone=True), comment="the hour whose reads the row counts; null for a change"),
    Index(
        "uq_audit_log_reads",
        "operator",
        "target",
        "read_hour",
        unique=True,
        postgresql_where=text("read_hour IS NOT NULL"),
    ),
    Index("ix_audit_log_operator_id", "operator", "id"),
    Index("ix_audit_log_action_id", "action", "id"),
    comment="what operators changed, written in the transaction that changed it, and whose addresses they read",
)

tracker_samples = Table(
    "tracker_samples",
    metadata,
    Column("step_seconds", Integer, primary_key=True, comment="how long the sample stands for"),
    Column("at", DateTime(timezone=True), primary_key=True, comment="its end"),
    # averages over the period
    Column("torrents", Double, nullable=False),
    Column("swarms", Double, nullable=False),
    Column("seeders", Double, nullable=False),
    Column("leechers", Double, nullable=False),
    # totals at the end of the period
    _grand_total("announces"),
    _grand_total("snatches"),
    _grand_total("uploaded_bytes"),
    _grand_total("downloaded_bytes"),
    comment="the tracker over time, at falling resolution",
)

torrent_samples = Table(
    "torrent_samples",
    metadata,
    Column("info_hash_id", BigInteger, ForeignKey("infohashes.id", ondelete="CASCADE"), primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True, index=True),
    Column("seeders", Integer, nullable=False),
    Column("leechers", Integer, nullable=False),
    Column("snatches", BigInteger, nullable=False),
    comment="a torrent over time: a row where its counts changed, which holds until the next",
)
