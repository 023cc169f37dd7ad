"""What a swarm holds and what an announce does to it: one step in, one view out."""

import enum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etracker_shared.identity import InfoHash, KeyHash
from etracker_shared.peer_records import PeerFlag

__all__ = ["NO_COUNTS", "RECORD", "Counts", "PeerFlag", "Records", "Role", "Step", "View"]

RECORD = np.dtype(
    [
        ("identity", "<u8"),
        ("pair_hash", "<u8"),
        ("peer_id", "V20"),
        ("first_seen", "<u4"),
        ("seen4", "<u4"),
        ("seen6", "<u4"),
        ("tier", "u1"),
        ("flags", "u1"),
        ("endpoint4", "V6"),
        ("endpoint6", "V18"),
    ]
)
"""What numpy reads of a packed table: :data:`etracker_shared.peer_records.LAYOUT`, the identity as a number."""

Records = npt.NDArray[np.void]
"""Array of :data:`RECORD`."""


class Role(enum.IntEnum):
    """What a peer wants of its swarm. Seeders and partial seeds (BEP 21) want leechers only."""

    LEECHER = 0
    SEEDER = 1
    PARTIAL_SEED = 2


class Step(NamedTuple):
    """One announce, as the swarm tables need it.

    ``endpoint``: 6 bytes (IPv4) or 18 bytes (IPv6), address and port in network order.
    ``flags``: :class:`PeerFlag` bits the caller knows (GUEST, UNREACHABLE); the role's bits are added.
    ``window``: how many candidate records to read at most, 0 for none.
    ``window_seed``: 32 bits that fix which windows are read, so that asking again reveals no more.
    ``rivals``: one who seeds is shown all others who do, if there are leechers and in all no more seeders than this.
    ``witnesses``: how many seeders one who seeds is shown in any case.
    ``now``: Unix seconds. ``stopped``: leave instead of join.
    """

    info_hash: InfoHash
    key_hash: KeyHash
    peer_id: bytes
    pair_hash: int
    endpoint: bytes
    role: Role
    tier: int
    flags: PeerFlag
    stopped: bool
    window: int
    window_seed: int
    rivals: int
    witnesses: int
    now: int


class Counts(NamedTuple):
    """How many peers a swarm has. ``snatches`` is None when Redis doesn't know."""

    seeders: int
    leechers: int
    partial_seeds: int
    snatches: int | None


NO_COUNTS = Counts(0, 0, 0, None)


class View(NamedTuple):
    """What a step saw: counts after it, when the asker first joined, and candidates to choose from.

    ``candidates`` are records of both tables as far as the asker's role wants them; they may hold the
    asker itself, endpoints that have expired, and seeders for one who seeds: the chooser drops those. ``dual``: the
    asker's own record holds an unexpired endpoint of the other address family too, so both lists are of use to it.
    """

    counts: Counts
    first_seen: int
    candidates: Records
    dual: bool = False
