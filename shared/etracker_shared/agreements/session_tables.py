"""The tables that are written for every client instance: sessions, and the snatches of guests."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    text,
)

from etracker_shared.agreements.columns import BUSY, counter, metadata, moment

announces = Table(
    "announces",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("key_id", BigInteger, ForeignKey("peers.id", ondelete="CASCADE"), comment="null for guests"),
    Column("info_hash_id", BigInteger, ForeignKey("infohashes.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("peer_id", LargeBinary, nullable=False, comment="for a guest since facts of version 2: its 16-byte hash"),
    # the base: the counters last reported
    counter("uploaded"),
    counter("downloaded"),
    Column("amount_left", BigInteger, nullable=False, server_default=text("-1"), comment="bytes, -1 if unknown"),
    counter("corrupt"),
    counter("redundant"),
    Column("event", SmallInteger, nullable=False, server_default=text("0")),
    # credits: sums of deltas
    counter("uploaded_credit"),
    counter("downloaded_credit"),
    counter("seeding_seconds"),
    Column("snatched", Boolean, nullable=False, server_default=text("false"), comment="a guest's snatch was counted"),
    Column(
        "place",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="number of the address, port and infohash last announced from and for; 0 if unknown",
    ),
    Column("others", LargeBinary, comment="the bases of its other places, packed; null if there are none"),
    Column(
        "most_left",
        BigInteger,
        nullable=False,
        server_default=text("-1"),
        comment="the most ever reported as left, 0 if it began with everything; -1 if unknown",
    ),
    Column("taken", BigInteger, nullable=False, server_default=text("0"), comment="bytes that it downloaded here"),
    moment("first_seen"),
    moment("last_seen"),
    Column(
        "present",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="bit n: it announced n blocks before that of last_seen; a block is two hours",
    ),
    Column(
        "seeded",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="the same for announces with nothing left",
    ),
    Index(
        "uq_announces_session",
        "key_id",
        "info_hash_id",
        "peer_id",
        unique=True,
        postgresql_nulls_not_distinct=True,
    ),
    Index("ix_announces_guests", "id", postgresql_where=text("key_id IS NULL")),
    comment="one row a session: a key (or guest), a torrent and a client instance",
    postgresql_with={"fillfactor": 80, **BUSY},
)

guest_snatches = Table(
    "guest_snatches",
    metadata,
    Column("info_hash_id", BigInteger, ForeignKey("infohashes.id", ondelete="CASCADE"), primary_key=True),
    Column("prefix", LargeBinary, primary_key=True, comment="address prefix, 7 bytes as in a fact"),
    Column("number", Integer, nullable=False),
    moment("last_time"),
    comment="how many snatches of a torrent by guests of an address prefix were counted",
)
