"""The content of a swarm, the step that an announce takes in it, and the view that the step returns."""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etracker_announce.domain.presence import Pace
from etracker_shared.agreements.peer_records import PeerFlag
from etracker_shared.language.identity import InfoHash, KeyHash

__all__ = ["NO_COUNTS", "RECORD", "Counts", "PeerFlag", "Records", "Role", "Step", "View"]

RECORD = np.dtype(
    [
        ("identity", "<u8"),
        ("pair_hash", "<u4"),
        ("left_or_age", "<u4"),
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
"""numpy's layout of a record: :data:`etracker_shared.agreements.peer_records.LAYOUT`, with the identity as a number."""

Records = npt.NDArray[np.void]
"""Array of :data:`RECORD`."""


class Role(enum.IntEnum):
    """What a peer wants from its swarm. Seeders and partial seeds (BEP 21) want leechers only."""

    LEECHER = 0
    SEEDER = 1
    PARTIAL_SEED = 2


class Step(NamedTuple):
    """One announce, as the swarm tables need it.

    ``endpoint``: 6 bytes (IPv4) or 18 bytes (IPv6), address and port in network order.
    ``flags``: :class:`PeerFlag` bits other than those of the role, which are added later.
    ``left``: what a leecher has left, in units. ``pace``: what counts of the time since its last announce.
    ``window``: how many candidate records to read at most, 0 for none.
    ``window_seed``: 32 bits that decide which windows are read, so that asking again reveals no more.
    ``rivals``: if there are leechers and at most this many seeders, a seeder's candidates include all other seeders.
    ``witnesses``: how many seeders a seeder's candidates include in any case.
    ``now``: Unix seconds. ``stopped``: leave instead of joining. ``looks``: read the swarm without joining it.
    ``recipient``: whose log of handed suspects the view is to include (8 bytes of a key hash).
    """

    info_hash: InfoHash
    key_hash: KeyHash
    peer_id: bytes
    pair_hash: int
    endpoint: bytes
    role: Role
    tier: int
    flags: int
    left: int
    pace: Pace
    stopped: bool
    window: int
    window_seed: int
    rivals: int
    witnesses: int
    now: int
    looks: bool = False
    recipient: bytes | None = None


class Counts(NamedTuple):
    """How many peers a swarm has. ``snatches`` is None if Redis doesn't know."""

    seeders: int
    leechers: int
    partial_seeds: int
    snatches: int | None


NO_COUNTS = Counts(0, 0, 0, None)


class View(NamedTuple):
    """What a step saw: counts after it, and candidates to choose from.

    ``first_seen``: as in the asker's record after the step. ``candidates``: records of the tables that the asker's role
    wants. They may include the asker itself, expired endpoints, and seeders although the asker seeds: all of these are
    left out later. ``dual``: the asker's own record also has an unexpired endpoint of the other address family, so it
    can use both lists. ``progressed``: the asker, a leecher, has less left than ever before.
    ``handed``: which suspects the asker was handed, if this was asked for; see
    :mod:`etracker_shared.agreements.block_lists`.
    """

    counts: Counts
    first_seen: int
    candidates: Records
    dual: bool = False
    progressed: bool = False
    handed: Mapping[bytes, bytes] = MappingProxyType({})
