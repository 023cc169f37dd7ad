"""The table of infohashes, which services and operators know as torrents."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from etracker_shared.agreements.columns import BUSY, counter, metadata, moment

_LISTED = text("same_as IS NULL")
"""The rows that lists show: a hybrid's second infohash isn't a separate torrent."""

infohashes = Table(
    "infohashes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("info_hash", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("file", LargeBinary, comment="the torrent file as stored, without trackers"),
    Column("file_mark", BigInteger, comment="changes with file; null: file not checked yet; 0: file is not a torrent"),
    Column("length", BigInteger, comment="bytes of content; null if unknown"),
    Column("piece_length", BigInteger, comment="bytes; null if unknown"),
    Column("private", Boolean, comment="the flag in the torrent file (BEP 27); null if unknown"),
    Column("info_hash_v2", LargeBinary, comment="32 bytes: the full SHA-256 of a v2 or hybrid torrent"),
    Column(
        "same_as",
        BigInteger,
        ForeignKey("infohashes.id", ondelete="CASCADE"),
        comment="the row that keeps the statistics, for a hybrid torrent's other infohash",
    ),
    moment("created_time"),
    # statistics
    Column(
        "downloaded",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="snatches: completed downloads, once a key; the original's name",
    ),
    counter("uploaded_bytes"),
    counter("downloaded_bytes"),
    counter("seeding_seconds"),
    Column("seeders", Integer, nullable=False, server_default=text("0")),
    Column("leechers", Integer, nullable=False, server_default=text("0")),
    Column("counted_time", DateTime(timezone=True), comment="when seeders and leechers were last brought up to date"),
    Column("last_seen", DateTime(timezone=True)),
    Column("demand", LargeBinary, comment="who downloaded last and when, from two address prefixes, packed"),
    # for filtering and sorting lists
    Column(
        "health",
        Integer,
        Computed(
            "CASE WHEN seeders >= 3 THEN 3 WHEN seeders > 0 THEN 2 WHEN leechers > 0 THEN 1 ELSE 0 END", persisted=True
        ),
        nullable=False,
        comment="3 healthy, 2 weak (1 or 2 seeders), 1 unseeded, 0 idle",
    ),
    Column(
        "sort_name",
        Text(collation="C"),
        Computed("lower(left(name, 100))", persisted=True),
        nullable=False,
        comment="a key of bounded length: an index takes no long ones",
    ),
    CheckConstraint("octet_length(info_hash) = 20", name="info_hash_length"),
    CheckConstraint("octet_length(info_hash_v2) = 32", name="info_hash_v2_length"),
    CheckConstraint("length >= 0", name="length_positive"),
    Index("ix_infohashes_same_as", "same_as", postgresql_where=text("same_as IS NOT NULL")),
    Index(
        "ix_infohashes_uncounted",
        "id",
        postgresql_where=text("same_as IS NOT NULL AND counted_time IS NULL AND (seeders > 0 OR leechers > 0)"),
    ),
    Index("ix_infohashes_by_name", "health", "sort_name", "id", postgresql_where=_LISTED),
    Index("ix_infohashes_by_seeders", "health", "seeders", "id", postgresql_where=_LISTED),
    Index("ix_infohashes_by_leechers", "health", "leechers", "id", postgresql_where=_LISTED),
    Index("ix_infohashes_by_snatches", "health", "downloaded", "id", postgresql_where=_LISTED),
    Index("ix_infohashes_by_size", "health", text("COALESCE(length, '-1'::bigint)"), "id", postgresql_where=_LISTED),
    Index("ix_infohashes_by_age", "health", "created_time", "id", postgresql_where=_LISTED),
    postgresql_with={"fillfactor": 70, **BUSY},
)
