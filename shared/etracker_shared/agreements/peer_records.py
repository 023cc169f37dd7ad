"""A peer's record in the packed tables of a swarm: announce writes it, the admin API shows it to operators."""

import enum
import struct
from typing import NamedTuple

LAYOUT = struct.Struct("<8sQ20sIIIBB6s18s")
"""One peer, 74 bytes, little-endian except for the endpoints (address and port in network order, BEP 23 and 7)."""


class PeerFlag(enum.IntFlag):
    """Bits of a record's ``flags``."""

    NONE = 0
    SEEDER = 1
    PARTIAL_SEED = 2
    GUEST = 4
    UNREACHABLE = 8
    INDEXED = 16
    SHARED4 = 32
    SHARED6 = 64


class PeerRecord(NamedTuple):
    """A record, with the fields of :data:`LAYOUT`.

    ``identity``: first 8 bytes of the key hash. ``pair_hash``: keyed hash of peer selection. ``seen4`` and
    ``seen6``: Unix seconds of the last announce over each family, 0 if never. A peer has the flag ``UNREACHABLE`` if
    nobody can connect to it (port 0 or 1), or if another peer has announced from its endpoint since. ``INDEXED``: it is
    in the hash of the swarm's addresses. ``SHARED4``, ``SHARED6``: many people share its address of that family.
    """

    identity: bytes
    pair_hash: int
    peer_id: bytes
    first_seen: int
    seen4: int
    seen6: int
    tier: int
    flags: PeerFlag
    endpoint4: bytes
    endpoint6: bytes


def unpack_records(table: bytes) -> list[PeerRecord]:
    """Unpack part of a table; an incomplete record at its end is ignored."""
    whole = len(table) // LAYOUT.size * LAYOUT.size
    records = LAYOUT.iter_unpack(table[:whole])
    return [PeerRecord._make((*fields[:7], PeerFlag(fields[7]), *fields[8:])) for fields in records]
