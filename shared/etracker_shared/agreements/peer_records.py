"""A peer's record in the packed tables of a swarm: announce writes it, the admin API shows it to operators."""

import enum
import struct
from typing import NamedTuple

LAYOUT = struct.Struct("<8sII20sIIIBB6s18s")
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
    ASKED = 128


class PeerRecord(NamedTuple):
    """A record, with the fields of :data:`LAYOUT`.

    ``identity``: first 8 bytes of the key hash. ``pair_hash``: keyed hash of peer selection, 32 bits.
    ``left_or_age``: of a leecher, the least it has reported as left, in units; of any other peer, the age in seconds
    that it reached as a leecher, which is the time that counts as waiting. ``first_seen``: when a leecher would have
    joined if all the time since then counted as waiting, so that its age is the time from then to its last announce;
    for any other peer, when it joined. ``seen4`` and ``seen6``: Unix seconds of the last announce over each family, 0
    if never.

    A peer has the flag ``UNREACHABLE`` if nobody can connect to it (port 0 or 1), or if another peer has announced from
    its endpoint since. ``INDEXED``: it is in the hash of the swarm's addresses. ``SHARED4``, ``SHARED6``: many people
    share its address of that family. ``ASKED``: it asked for peers, or isn't a leecher. Versions of etracker that
    didn't store ``left_or_age`` never set this flag; their pair hash filled these four bytes too.
    """

    identity: bytes
    pair_hash: int
    left_or_age: int
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
    return [PeerRecord._make((*fields[:8], PeerFlag(fields[8]), *fields[9:])) for fields in records]
