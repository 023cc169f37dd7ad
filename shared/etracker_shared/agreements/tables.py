"""The Postgres schema that Alembic's migrations produce.

Which service writes what:

================== ============================================ =======================================
table              inserts, deletes, decides                     counts and times
================== ============================================ =======================================
infohashes         admin API (operators through psql; the        scoring worker: the columns under
                   scoring worker when the allowlist is off)     "statistics"
peers              admin API (operators through psql)            scoring worker: the columns under
                                                                 "statistics", "score" and "origin"
memberships        scoring worker                                scoring worker
announces          scoring worker                                scoring worker
facts              scoring worker (only with a fact retention)   scoring worker
graces             scoring API and worker                        nobody
guest_snatches     scoring worker                                scoring worker
stream_positions   scoring worker                                scoring worker
tier_changes       scoring worker                                nobody
tier_thresholds    scoring worker (only with recalibration)      scoring worker
totals             the third migration                           scoring worker
operators          admin API                                     admin API: ``last_used``
audit_log          admin API                                     nobody
bans               admin API (operators through psql)            nobody
torrent_counts     triggers on infohashes                        admin API: merges rows
torrent_names      triggers on infohashes                        nobody
tracker_samples    admin API                                     nobody
torrent_samples    admin API                                     nobody
secrets            the first migration                           nobody
recovery_codes     admin API                                     nobody
recovery_requests  admin API                                     nobody
key_rotations      admin API                                     nobody
key_prefixes       scoring worker; the admin API deletes         scoring worker
prefix_credits     scoring worker; the admin API deletes         scoring worker
signals            scoring worker                                scoring worker
traffic_blocks     scoring worker                                scoring worker
swarm_blocks       scoring worker                                scoring worker
anomalies          scoring worker                                scoring worker; admin API: overrides, notes
anomaly_evidence   scoring worker                                nobody
anomaly_appeals    admin API                                     admin API: answers
client_counts      admin API                                     nobody
detection_progress scoring worker                                scoring worker
================== ============================================ =======================================

The admin API also writes operators' corrections to the columns under "statistics", to the sums of a score, to debts and
to ``totals`` (docs/adr/0075), and takes disowned sessions out of keys, memberships and announces (docs/adr/0085).

All counters are bigint and in bytes unless a name says otherwise; all times are timestamptz.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)

from etracker_shared.agreements.admin_tables import (
    audit_log,
    operators,
    torrent_counts,
    torrent_names,
    torrent_samples,
    totals,
    tracker_samples,
)
from etracker_shared.agreements.anomaly_tables import (
    anomalies,
    anomaly_appeals,
    anomaly_evidence,
    detection_progress,
    signals,
    swarm_blocks,
    traffic_blocks,
)
from etracker_shared.agreements.ban_tables import bans
from etracker_shared.agreements.columns import BUSY, counter, metadata, moment
from etracker_shared.agreements.recovery_tables import (
    key_prefixes,
    key_rotations,
    prefix_credits,
    recovery_codes,
    recovery_requests,
)
from etracker_shared.agreements.session_tables import announces, guest_snatches
from etracker_shared.agreements.torrent_tables import infohashes

__all__ = [
    "announces",
    "anomalies",
    "anomaly_appeals",
    "anomaly_evidence",
    "audit_log",
    "bans",
    "detection_progress",
    "facts",
    "graces",
    "guest_snatches",
    "infohashes",
    "key_prefixes",
    "key_rotations",
    "memberships",
    "metadata",
    "operators",
    "peers",
    "prefix_credits",
    "recovery_codes",
    "recovery_requests",
    "secrets",
    "signals",
    "stream_positions",
    "swarm_blocks",
    "tier_changes",
    "tier_thresholds",
    "torrent_counts",
    "torrent_names",
    "torrent_samples",
    "totals",
    "tracker_samples",
    "traffic_blocks",
]


def _sum(name: str, comment: str | None = None) -> Column[float]:
    return Column(name, Double, nullable=False, server_default=text("0"), comment=comment)


def _flag(name: str, comment: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("false"), comment=comment)


peers = Table(
    "peers",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "announce_key",
        Text,
        comment="an inserted key is replaced by its hash, leaving null; rows of earlier releases have it in clear",
    ),
    Column(
        "key_hash",
        LargeBinary,
        nullable=False,
        unique=True,
        comment="the first 16 bytes of SHA-256 of the key; a trigger sees to it",
    ),
    moment("created_time"),
    # statistics
    counter("snatched"),
    counter("downloaded"),
    counter("uploaded"),
    counter("seeding_seconds"),
    Column(
        "seeded_until", DateTime(timezone=True), comment="seeding time up to here is counted: the union over torrents"
    ),
    Column("last_seen", DateTime(timezone=True)),
    # score
    Column(
        "tier",
        SmallInteger,
        nullable=False,
        server_default=text("1"),
        comment="the tier held at the last announce, 0 to 4",
    ),
    Column(
        "falling_since",
        DateTime(timezone=True),
        comment="since when the score deserves a lower tier; null if it does not",
    ),
    _sum("score", "as it stood at the last announce, 0 to 100"),
    Column("score_time", DateTime(timezone=True), comment="the six sums below stand as of this moment"),
    _sum("score_recent", "seeding weight, half-life of a week"),
    _sum("score_average", "seeding weight, half-life of four weeks"),
    _sum("score_length_days"),
    _sum("score_owed", "snatches, decayed"),
    _sum("score_paid", "snatches seeded afterwards, decayed"),
    _sum("score_drawn", "seeding weight times seconds credited lately"),
    # origin
    Column("origin_time", DateTime(timezone=True), comment="the first announce; null if there was none"),
    Column("origin_prefix", LargeBinary, comment="address prefix of the first announce, 7 bytes as in a fact"),
    _flag("grace", "holds the newcomer's grace of its prefix"),
    _flag("stained", "its prefix held a free-rider when it was new"),
    # the notice of a changed tier
    Column("notice", Text),
    Column("notice_time", DateTime(timezone=True)),
    Column("notice_told_time", DateTime(timezone=True), comment="when an announce was answered with the notice"),
    Column("disabled_time", DateTime(timezone=True), comment="an operator disabled the key then; null while it works"),
    # anomalies
    Column(
        "frozen",
        ARRAY(Double),
        comment="what the key is judged by while an anomaly is suspected or confirmed: score_time, the six sums, "
        "snatched and seeding_seconds as they were, and the tier and falling_since to return to",
    ),
    Column(
        "confirmed_time",
        DateTime(timezone=True),
        comment="since when the key has the lowest tier for an anomaly; null if it has not",
    ),
    CheckConstraint("tier BETWEEN 0 AND 4", name="tier_known"),
    Index(
        "ix_peers_newcomers",
        "origin_prefix",
        "grace",
        postgresql_where=text("grace OR (tier <= 1 AND snatched > 0)"),
    ),
    Index("ix_peers_frozen", "id", postgresql_where=text("frozen IS NOT NULL")),
    postgresql_with={"fillfactor": 80, **BUSY},
)

graces = Table(
    "graces",
    metadata,
    Column("prefix", LargeBinary, primary_key=True, comment="address prefix, 7 bytes as in a fact"),
    Column("key_id", BigInteger, nullable=False, index=True),
    Column("given_time", DateTime(timezone=True), nullable=False),
    Column(
        "promised",
        Boolean,
        nullable=False,
        comment="scoring answered an announce with it; otherwise the worker gave it, to the key that announced first",
    ),
    comment="to which key the newcomer's grace of a prefix was last promised or given; rows last a day",
)

memberships = Table(
    "memberships",
    metadata,
    Column("key_id", BigInteger, ForeignKey("peers.id", ondelete="CASCADE"), primary_key=True),
    Column("info_hash_id", BigInteger, ForeignKey("infohashes.id", ondelete="CASCADE"), primary_key=True, index=True),
    moment("first_seen"),
    Column("leeching", Boolean, nullable=False, server_default=text("false"), comment="the last announce had left > 0"),
    Column("snatched_time", DateTime(timezone=True), comment="when the snatch was counted, once for ever"),
    # credits of sessions whose rows in announces were pruned
    counter("uploaded"),
    counter("downloaded"),
    counter("seeding_seconds"),
    _sum("debt_seconds", "seeding still owed for the snatch"),
    counter("taken"),
    _sum("owed_share", "part of the torrent for which seeding was or is owed, 0 to 1"),
    Column(
        "owed_by",
        LargeBinary,
        comment="peer_id of the client that downloaded: its seeding pays the debt; null: any of the key's does",
    ),
    Column(
        "credited_until",
        DateTime(timezone=True),
        comment="seeding up to here was in the score when credited_by began",
    ),
    Column("credited_by", LargeBinary, comment="peer_id of the client whose seeding is in the score since"),
    Column("paid_until", DateTime(timezone=True), comment="seeding up to here has paid the debt"),
    comment="what belongs to a key and a torrent, whichever client instance announced",
    postgresql_with={"fillfactor": 80},
)

tier_changes = Table(
    "tier_changes",
    metadata,
    Column("key_id", BigInteger, ForeignKey("peers.id", ondelete="CASCADE"), primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("tier", SmallInteger, nullable=False),
    Column("score", Double, nullable=False),
    comment="the tiers that keys held, and since when",
)

tier_thresholds = Table(
    "tier_thresholds",
    metadata,
    Column("tier", SmallInteger, primary_key=True, autoincrement=False),
    Column("score", Double, nullable=False),
    moment("changed_time"),
    comment="what tiers 2, 3 and 4 take, moved nightly with ETRACKER_RECALIBRATE",
)

stream_positions = Table(
    "stream_positions",
    metadata,
    Column("shard", SmallInteger, primary_key=True),
    Column("last_id", Text, nullable=False, server_default="0-0", comment="the last stream entry accounted for"),
    comment="moved by compare-and-set in the transaction that accounts for the facts",
)

facts = Table(
    "facts",
    metadata,
    Column("at", DateTime(timezone=True), nullable=False),
    Column("fact", LargeBinary, nullable=False, comment="as packed by etracker_shared.facts"),
    Index("ix_facts_at", "at", postgresql_using="brin"),
    comment="raw facts, kept only if ETRACKER_FACT_RETENTION_DAYS says so",
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    comment="secrets of the deployment, made by the first migration",
)
