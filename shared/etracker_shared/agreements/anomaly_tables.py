"""The tables of anomalies: what the detector remembers, found and concluded, and what people said to it."""

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
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from etracker_shared.agreements.columns import BUSY, counter, metadata, moment


def _time(name: str, comment: str | None = None) -> Column[object]:
    return Column(name, DateTime(timezone=True), comment=comment)


def _json(name: str, comment: str) -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=text("'{}'::jsonb"), comment=comment)


def _torrent() -> ForeignKey:
    return ForeignKey("infohashes.id", ondelete="CASCADE")


signals = Table(
    "signals",
    metadata,
    Column("info_hash_id", BigInteger, _torrent(), primary_key=True),
    Column("identity", LargeBinary, primary_key=True, comment="a key's id in 8 bytes, or a guest's key hash"),
    Column("state", LargeBinary, nullable=False, comment="as packed by etracker_scoring.detection"),
    moment("last_seen"),
    Index("ix_signals_last_seen", "last_seen", postgresql_using="brin"),
    comment="what the detector remembers of a key or guest in a torrent; most have nothing to remember",
    postgresql_with={"fillfactor": 50, **BUSY},
)

traffic_blocks = Table(
    "traffic_blocks",
    metadata,
    Column("slot", SmallInteger, primary_key=True, comment="the day of the block, modulo 8"),
    Column("block", Integer, primary_key=True, comment="two hours, numbered from the Unix epoch"),
    Column("info_hash_id", BigInteger, primary_key=True),
    Column("identity", LargeBinary, primary_key=True, comment="as in signals"),
    counter("uploaded"),
    Column(
        "received",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="downloaded, corrupt and redundant bytes",
    ),
    Column("dropped", BigInteger, nullable=False, server_default=text("0"), comment="by how much left fell"),
    comment="what was transferred in a torrent and a block of two hours",
    postgresql_partition_by="LIST (slot)",
)

swarm_blocks = Table(
    "swarm_blocks",
    metadata,
    Column("info_hash_id", BigInteger, _torrent(), primary_key=True),
    Column("block", Integer, primary_key=True, index=True),
    counter("uploaded"),
    counter("received"),
    Column("noise", Double, nullable=False, comment="bytes: the standard deviation expected of an honest swarm"),
    Column("cusum", Double, nullable=False, comment="bytes uploaded without a receiver, summed since the onset"),
    Column("onset", Integer, comment="the block in which the sum began to rise; null while it is 0"),
    Column("trusted", SmallInteger, nullable=False, comment="1 if the swarm counted as closed at the onset"),
    comment="the balance of a torrent in each block with traffic",
)

anomalies = Table(
    "anomalies",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("key_id", BigInteger, ForeignKey("peers.id", ondelete="CASCADE"), unique=True),
    Column("guest", LargeBinary, unique=True, comment="a guest's key hash, 16 bytes"),
    Column("state", SmallInteger, nullable=False, comment="0 ok, 1 suspected, 2 confirmed, 3 cleared"),
    Column("verdict", SmallInteger, comment="1 statistics, 2 hidden download, 3 waste; null unless confirmed"),
    Column("score", Double, nullable=False, server_default=text("0"), comment="as of score_time"),
    _json("points", "points of each kind of evidence, as of score_time"),
    moment("score_time"),
    moment("since"),
    _time("evidence_time", "when evidence was last added"),
    _json(
        "prefixes",
        "points of the evidence by the address prefix that it came from, as of evidence_time; empty if unknown",
    ),
    _json("wasted", "by id of torrent, how many times its size was downloaded in vain; 0 if unknown"),
    Column("peer_id", LargeBinary, comment="of the client that gave the latest evidence"),
    Column("override", SmallInteger, comment="an operator's decision: 1 exempt, 2 cleared, 3 confirmed"),
    _time("override_until", "null: until an operator ends it"),
    Column("override_by", Text),
    Column("applied", SmallInteger, comment="the override that state follows already; 0 after a decision"),
    Column("note", Text, nullable=False, server_default="", comment="the operator's"),
    CheckConstraint("num_nonnulls(key_id, guest) = 1", name="one_identity"),
    CheckConstraint("octet_length(guest) = 16", name="guest_length"),
    CheckConstraint("state BETWEEN 0 AND 3", name="state_known"),
    Index("ix_anomalies_state", "state", "score", "id"),
    Index("ix_anomalies_unapplied", "id", postgresql_where=text("override IS DISTINCT FROM applied")),
    Index("ix_anomalies_since", "state", "since", "id"),
    Index("ix_anomalies_override_until", "override_until", postgresql_where=text("override_until IS NOT NULL")),
    comment="what the detector concludes about keys and guests; announce is notified of each change",
    postgresql_with={"fillfactor": 80},
)

anomaly_addresses = Table(
    "anomaly_addresses",
    metadata,
    Column("anomaly_id", BigInteger, ForeignKey("anomalies.id", ondelete="CASCADE"), primary_key=True),
    Column("address", LargeBinary, primary_key=True, index=True, comment="keyed hash of the address, as in a fact"),
    moment("last_seen"),
    comment="where suspects announced from; rows last a day",
)

anomaly_evidence = Table(
    "anomaly_evidence",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("anomaly_id", BigInteger, ForeignKey("anomalies.id", ondelete="CASCADE"), nullable=False),
    Column("info_hash_id", BigInteger, _torrent(), index=True),
    moment("at"),
    Column("kind", Text, nullable=False, comment="as in etracker_shared.agreements.anomalies.Kind"),
    Column("points", Double, nullable=False),
    Column("block_from", Integer),
    Column("block_to", Integer),
    Column("peer_id", LargeBinary),
    Column("prefix", LargeBinary, comment="address prefix of the announce, 7 bytes as in a fact"),
    Column("text", Text, nullable=False),
    _json("data", "the numbers in the text"),
    Index("ix_anomaly_evidence_anomaly_id", "anomaly_id", "id"),
    Index("ix_anomaly_evidence_at", "at", postgresql_using="brin"),
    comment="why; rows last 90 days",
)

anomaly_appeals = Table(
    "anomaly_appeals",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("anomaly_id", BigInteger, ForeignKey("anomalies.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("text", Text, nullable=False),
    moment("at"),
    Column("answer", Text),
    _time("answered_time"),
    Column("answered_by", Text),
    Index("ix_anomaly_appeals_waiting", "anomaly_id", postgresql_where=text("answered_time IS NULL")),
    comment="what holders of confirmed keys say, and what operators answer",
)

client_counts = Table(
    "client_counts",
    metadata,
    Column("prefix", LargeBinary, primary_key=True, comment="the first 8 bytes of a peer_id; empty: no client"),
    Column("key_count", BigInteger, nullable=False),
    Column("session_count", BigInteger, nullable=False),
    moment("counted_time"),
    comment="how many keys and sessions used a client within 30 days; counted about once an hour",
)

detection_progress = Table(
    "detection_progress",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="0: there is one row"),
    Column("block", Integer, nullable=False, comment="the block being judged"),
    Column("info_hash_id", BigInteger, nullable=False, comment="the last torrent judged in it"),
    CheckConstraint("id = 0", name="one_row"),
    comment="how far the balances of swarms have been judged",
)
