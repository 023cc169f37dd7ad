"""The state of the simulated swarms: arrays over users and peers, shared by all compiled loops."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

STEP_SECONDS = 10
PIECES = 192
WORDS = PIECES // 64
MAX_CONNECTIONS = 50
KNOWN_PEERS = 400
"""Addresses that a client stores per torrent; a new one replaces a random one."""

OUT, LEECHER, SEEDER = 0, 1, 2
"""Values of ``role``. A peer that is out may join (again)."""

UNSEEN, KNOWN, CONNECTED = 0, 1, 2
"""Bits of ``relation``."""

NOBODY = -1


class Swarms(NamedTuple):
    """All swarms of one run. A user has a line; a peer is a user in one torrent.

    Over users: ``up``, ``down`` (bytes per step), ``reachable``.
    Over peers: ``user``, ``torrent``, ``role``, ``have`` (bit sets of pieces, :data:`WORDS` words), ``fresh``
    (pieces received in this step, shown to others in the next), ``progress`` (bytes of each piece), ``seen`` (how many
    neighbours have each piece), ``degree``, ``optimistic`` (the neighbour in the optimistic slot),
    ``uploaded`` and ``downloaded`` (bytes), ``known`` and ``known_count`` (addresses).
    Over (peer, connection): ``neighbour``, ``mirror`` (the connection's index at the neighbour), ``unchoked``
    (this peer uploads to that neighbour), ``rate`` (smoothed bytes per step from that neighbour), ``working`` (the
    piece being fetched from it).
    ``relation``: over pairs of peers, bits KNOWN and CONNECTED. ``piece_bytes``: over torrents.
    ``present``: the peers that are in a swarm, ``tally[0]`` of them; ``place``: a peer's index in ``present``.
    ``done``: peers that completed in this step, ``tally[1]`` of them. ``tally[2]``: the number of leechers in swarms.
    ``random``: state of the generator.
    """

    up: npt.NDArray[np.int64]
    down: npt.NDArray[np.int64]
    reachable: npt.NDArray[np.bool_]
    user: npt.NDArray[np.int64]
    torrent: npt.NDArray[np.int64]
    role: npt.NDArray[np.uint8]
    have: npt.NDArray[np.uint64]
    fresh: npt.NDArray[np.uint64]
    progress: npt.NDArray[np.int64]
    seen: npt.NDArray[np.int32]
    degree: npt.NDArray[np.int64]
    optimistic: npt.NDArray[np.int64]
    uploaded: npt.NDArray[np.int64]
    downloaded: npt.NDArray[np.int64]
    known: npt.NDArray[np.int64]
    known_count: npt.NDArray[np.int64]
    neighbour: npt.NDArray[np.int64]
    mirror: npt.NDArray[np.int64]
    unchoked: npt.NDArray[np.bool_]
    rate: npt.NDArray[np.float64]
    working: npt.NDArray[np.int64]
    relation: npt.NDArray[np.uint8]
    piece_bytes: npt.NDArray[np.int64]
    present: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    done: npt.NDArray[np.int64]
    tally: npt.NDArray[np.int64]
    random: npt.NDArray[np.uint64]


def make_swarms(
    *,
    up: npt.NDArray[np.int64],
    down: npt.NDArray[np.int64],
    reachable: npt.NDArray[np.bool_],
    user: npt.NDArray[np.int64],
    torrent: npt.NDArray[np.int64],
    torrent_bytes: npt.NDArray[np.int64],
    seed: int,
) -> Swarms:
    """Create empty swarms. ``up`` and ``down``: bytes per second; ``user`` and ``torrent``: one entry per peer."""
    peers = len(user)
    per_connection = (peers, MAX_CONNECTIONS)
    return Swarms(
        up=up * STEP_SECONDS,
        down=down * STEP_SECONDS,
        reachable=reachable,
        user=user,
        torrent=torrent,
        role=np.zeros(peers, np.uint8),
        have=np.zeros((peers, WORDS), np.uint64),
        fresh=np.zeros((peers, WORDS), np.uint64),
        progress=np.zeros((peers, PIECES), np.int64),
        seen=np.zeros((peers, PIECES), np.int32),
        degree=np.zeros(peers, np.int64),
        optimistic=np.full(peers, NOBODY, np.int64),
        uploaded=np.zeros(peers, np.int64),
        downloaded=np.zeros(peers, np.int64),
        known=np.zeros((peers, KNOWN_PEERS), np.int64),
        known_count=np.zeros(peers, np.int64),
        neighbour=np.full(per_connection, NOBODY, np.int64),
        mirror=np.zeros(per_connection, np.int64),
        unchoked=np.zeros(per_connection, np.bool_),
        rate=np.zeros(per_connection, np.float64),
        working=np.full(per_connection, NOBODY, np.int64),
        relation=np.zeros((peers, peers), np.uint8),
        piece_bytes=torrent_bytes // PIECES,
        present=np.zeros(peers, np.int64),
        place=np.full(peers, NOBODY, np.int64),
        done=np.zeros(peers, np.int64),
        tally=np.zeros(3, np.int64),
        random=np.array([(2 * seed + 1) * 0x9E3779B97F4A7C15 % 2**64], np.uint64),
    )
