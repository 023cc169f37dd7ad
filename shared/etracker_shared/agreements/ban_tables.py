"""Bans: the admin API writes them, announce honours them.

:mod:`~etracker_shared.agreements.tables` says which service writes which table.
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Identity, Index, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import CIDR

from etracker_shared.agreements.columns import metadata, moment

bans = Table(
    "bans",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("network", CIDR, unique=True),
    Column("peer_id_prefix", LargeBinary, unique=True, comment="the first bytes of a peer_id, 2 to 20"),
    Column("info_hash", LargeBinary, unique=True),
    Column("reason", Text, nullable=False, server_default="", comment="for operators: no client is told"),
    Column(
        "created_by",
        Text,
        nullable=False,
        server_default="",
        comment="the name of the operator; empty for a row inserted by hand",
    ),
    moment("created_time"),
    Column("expires_time", DateTime(timezone=True), comment="null: permanent"),
    CheckConstraint("num_nonnulls(network, peer_id_prefix, info_hash) = 1", name="one_kind"),
    CheckConstraint("masklen(network) >= CASE family(network) WHEN 4 THEN 8 ELSE 16 END", name="network_narrow"),
    CheckConstraint(
        "NOT network <<= '::ffff:0:0/96' AND NOT network >>= '::ffff:0:0/96'",
        name="network_folded",
    ),
    CheckConstraint("octet_length(peer_id_prefix) BETWEEN 2 AND 20", name="peer_id_prefix_length"),
    CheckConstraint("octet_length(info_hash) = 20", name="info_hash_length"),
    Index("ix_bans_expires_time", "expires_time", postgresql_where=text("expires_time IS NOT NULL")),
    comment="what operators refuse: one network, peer_id prefix or infohash per row",
)
