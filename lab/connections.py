"""Connections between peers: joining, leaving, connecting, disconnecting."""

import numpy as np
import numpy.typing as npt

from .compiled import compiled
from .state import (
    CONNECTED,
    KNOWN,
    KNOWN_PEERS,
    LEECHER,
    MAX_CONNECTIONS,
    NOBODY,
    OUT,
    PIECES,
    SEEDER,
    UNSEEN,
    WORDS,
    Swarms,
)


@compiled
def draw(random: npt.NDArray[np.uint64], below: int) -> int:
    """Draw an integer in [0, below) (xorshift64*, the high half)."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    high = (x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(32)
    return int(high) % below


@compiled
def has(bits: npt.NDArray[np.uint64], piece: int) -> bool:
    """Return whether a bit set contains a piece."""
    return bool((bits[piece >> 6] >> np.uint64(piece & 63)) & np.uint64(1))


@compiled
def put(bits: npt.NDArray[np.uint64], piece: int) -> None:
    """Add a piece to a bit set."""
    bits[piece >> 6] |= np.uint64(1) << np.uint64(piece & 63)


@compiled
def _count_pieces_of(s: Swarms, peer: int, neighbour: int, by: int) -> None:
    if s.role[peer] == LEECHER:
        for piece in range(PIECES):
            if has(s.have[neighbour], piece):
                s.seen[peer, piece] += by


@compiled
def connect(s: Swarms, a: int, b: int) -> None:
    """Connect two peers that have free connections."""
    at_a, at_b = s.degree[a], s.degree[b]
    for peer, place, other, other_place in ((a, at_a, b, at_b), (b, at_b, a, at_a)):
        s.neighbour[peer, place] = other
        s.mirror[peer, place] = other_place
        s.unchoked[peer, place] = False
        s.rate[peer, place] = 0.0
        s.working[peer, place] = NOBODY
        s.degree[peer] += 1
        s.relation[peer, other] |= CONNECTED
        _count_pieces_of(s, peer, other, 1)


@compiled
def _close(s: Swarms, peer: int, place: int) -> None:
    last = s.degree[peer] - 1
    if place != last:
        s.neighbour[peer, place] = s.neighbour[peer, last]
        s.mirror[peer, place] = s.mirror[peer, last]
        s.unchoked[peer, place] = s.unchoked[peer, last]
        s.rate[peer, place] = s.rate[peer, last]
        s.working[peer, place] = s.working[peer, last]
        s.mirror[s.neighbour[peer, place], s.mirror[peer, place]] = place
    s.degree[peer] = last


@compiled
def disconnect(s: Swarms, a: int, place: int) -> None:
    """Close one connection of a peer; its last connection takes that place."""
    b = s.neighbour[a, place]
    place_at_b = s.mirror[a, place]
    for peer, other in ((a, b), (b, a)):
        _count_pieces_of(s, peer, other, -1)
        s.relation[peer, other] &= ~CONNECTED & 3
        if s.optimistic[peer] == other:
            s.optimistic[peer] = NOBODY
    _close(s, a, place)
    _close(s, b, place_at_b)


@compiled
def dial(s: Swarms, peer: int) -> None:
    """Connect to known addresses, starting at a random one, while both ends have free connections."""
    known = s.known_count[peer]
    if known == 0 or s.degree[peer] >= MAX_CONNECTIONS:
        return
    start = draw(s.random, known)
    for offset in range(known):
        other = s.known[peer, (start + offset) % known]
        if s.role[other] == OUT or s.relation[peer, other] & CONNECTED or not s.reachable[s.user[other]]:
            continue
        if s.degree[other] >= MAX_CONNECTIONS or (s.role[peer] == SEEDER and s.role[other] == SEEDER):
            continue
        connect(s, peer, other)
        if s.degree[peer] >= MAX_CONNECTIONS:
            return


@compiled
def learn(s: Swarms, peer: int, others: npt.NDArray[np.int64]) -> None:
    """Store the addresses of a tracker's answer and connect to them."""
    for other in others:
        if other == peer or s.relation[peer, other] & KNOWN:
            continue
        place = s.known_count[peer]
        if place == KNOWN_PEERS:
            place = draw(s.random, KNOWN_PEERS)
            s.relation[peer, s.known[peer, place]] &= ~KNOWN & 3
        else:
            s.known_count[peer] = place + 1
        s.known[peer, place] = other
        s.relation[peer, other] |= KNOWN
    dial(s, peer)


@compiled
def exchange_peers(s: Swarms) -> None:
    """Let every peer learn the neighbours of one of its neighbours (BEP 11)."""
    for i in range(s.tally[0]):
        peer = s.present[i]
        if s.degree[peer]:
            friend = s.neighbour[peer, draw(s.random, s.degree[peer])]
            learn(s, peer, s.neighbour[friend, : s.degree[friend]].copy())


@compiled
def join(s: Swarms, peer: int, role: int) -> None:
    """Add a peer to its swarm: a leecher with nothing or the pieces it had, or a seeder with everything."""
    s.role[peer] = role
    if role == SEEDER:
        s.have[peer, :] = ~np.uint64(0)
    s.place[peer] = s.tally[0]
    s.present[s.tally[0]] = peer
    s.tally[0] += 1
    s.tally[2] += role == LEECHER


@compiled
def leave(s: Swarms, peer: int) -> None:
    """Remove a peer from its swarm. It forgets all addresses."""
    while s.degree[peer]:
        disconnect(s, peer, s.degree[peer] - 1)
    for place in range(s.known_count[peer]):
        s.relation[peer, s.known[peer, place]] = UNSEEN
    s.known_count[peer] = 0
    s.tally[2] -= s.role[peer] == LEECHER
    s.role[peer] = OUT
    last = s.present[s.tally[0] - 1]
    s.present[s.place[peer]] = last
    s.place[last] = s.place[peer]
    s.place[peer] = NOBODY
    s.tally[0] -= 1


@compiled
def become_seeder(s: Swarms, peer: int) -> None:
    """Turn a leecher that has every piece into a seeder, which keeps no connection to other seeders."""
    s.role[peer] = SEEDER
    s.tally[2] -= 1
    s.optimistic[peer] = NOBODY
    for place in range(s.degree[peer] - 1, -1, -1):
        if s.role[s.neighbour[peer, place]] == SEEDER:
            disconnect(s, peer, place)


@compiled
def wants(s: Swarms, receiver: int, sender: int) -> bool:
    """Return whether a leecher lacks a piece that the other has."""
    if s.role[receiver] != LEECHER:
        return False
    lacking = np.uint64(0)
    for word in range(WORDS):
        lacking |= s.have[sender, word] & ~s.have[receiver, word]
    return bool(lacking)
