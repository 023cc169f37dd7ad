"""The tables with which a key's holder gets a stolen key back, and disowns what others did with it."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    text,
)

from etracker_shared.agreements.columns import counter, metadata, moment


def _key(*, primary: bool = False) -> Column[int]:
    return Column("key_id", BigInteger, ForeignKey("peers.id", ondelete="CASCADE"), primary_key=primary, nullable=False)


def _sum(name: str, comment: str | None = None) -> Column[float]:
    return Column(name, Double, nullable=False, server_default=text("0"), comment=comment)


recovery_codes = Table(
    "recovery_codes",
    metadata,
    _key(primary=True),
    Column("code_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the code's 24 characters"),
    moment("created_time"),
    Column("disowned_time", DateTime(timezone=True), comment="when sessions were last disowned; null if never"),
    comment="the code that makes a rotation final; the code itself is stored nowhere",
)

recovery_requests = Table(
    "recovery_requests",
    metadata,
    _key(primary=True),
    Column("claim_hash", LargeBinary, nullable=False, comment="SHA-256 of what only the requesting browser knows"),
    moment("requested_time"),
    comment="keys without a recovery code whose holder asked for one; any holder's objection deletes the row",
)

key_rotations = Table(
    "key_rotations",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _key(),
    Column("old_hash", LargeBinary, nullable=False, comment="hash of the key that was replaced"),
    moment("at"),
    Column("undone_time", DateTime(timezone=True), comment="null unless the old key undid it, or an earlier rotation"),
    Index("ix_key_rotations_key_id", "key_id"),
    Index("ix_key_rotations_old_hash", "old_hash"),
    comment="rotations without a recovery code; a final rotation deletes those before it",
)

key_prefixes = Table(
    "key_prefixes",
    metadata,
    _key(),
    Column(
        "prefix",
        SmallInteger,
        nullable=False,
        comment="16 bits of a hash of the prefix, keyed by a secret and the key's id",
    ),
    moment("first_seen"),
    Column("last_seen", DateTime(timezone=True), nullable=False, comment="at most a day out of date"),
    Column("new_until", DateTime(timezone=True), nullable=False, comment="first_seen for the key's first prefix"),
    PrimaryKeyConstraint("key_id", "prefix"),
    comment="the address prefixes from which a key has announced",
)

prefix_credits = Table(
    "prefix_credits",
    metadata,
    _key(),
    Column("info_hash_id", BigInteger, ForeignKey("infohashes.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("peer_id", LargeBinary, nullable=False),
    Column("prefix", SmallInteger, nullable=False, comment="as in key_prefixes"),
    moment("began"),
    moment("last_seen"),
    counter("uploaded"),
    counter("downloaded"),
    counter("session_seconds"),
    counter("seeding_seconds"),
    Column("snatches", Integer, nullable=False, server_default=text("0")),
    _sum("recent", "this and the next four: what was added to the key's sums, as of the prefix's first_seen"),
    _sum("average"),
    _sum("length_days"),
    _sum("owed"),
    _sum("paid"),
    _sum("debt_seconds", "by how much the membership's debt rose"),
    PrimaryKeyConstraint("key_id", "info_hash_id", "peer_id", "prefix"),
    comment="what a session added to its key while the address prefix was new to the key",
)
