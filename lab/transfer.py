"""Transfers in one step: slots, shares of the lines, pieces."""

import numpy as np
import numpy.typing as npt

from .compiled import compiled
from .connections import become_seeder, dial, draw, has, put, wants
from .state import LEECHER, MAX_CONNECTIONS, NOBODY, PIECES, SEEDER, WORDS, Swarms

SEEDER_SLOTS = 5
TIT_FOR_TAT_SLOTS = 3
TURN_STEPS = 3
"""A seeder's slots and a leecher's optimistic slot rotate every 30 s."""

REDIAL_STEPS = 6
MEMORY = 2.0 / 3.0
"""Weight of the past in a connection's smoothed rate: about the last 30 s."""

NEVER = np.inf
ONE = np.uint64(1)


@compiled
def _choke(s: Swarms, peer: int, place: int) -> None:
    if s.unchoked[peer, place]:
        s.unchoked[peer, place] = False
        s.working[s.neighbour[peer, place], s.mirror[peer, place]] = NOBODY


@compiled
def _interested(s: Swarms, peer: int, places: npt.NDArray[np.int64]) -> int:
    count = 0
    for place in range(s.degree[peer]):
        if wants(s, s.neighbour[peer, place], peer):
            places[count] = place
            count += 1
        else:
            _choke(s, peer, place)
    return count


@compiled
def _is_turn(step: int, peer: int) -> bool:
    return (step + peer) % TURN_STEPS == 0


@compiled
def _rotate_slots(s: Swarms, peer: int, step: int, places: npt.NDArray[np.int64], count: int) -> None:
    """Give a seeder's slots to random interested neighbours; between rotations only free slots are given."""
    turn = _is_turn(step, peer)
    kept = 0
    for i in range(count):
        if s.unchoked[peer, places[i]] and not turn:
            places[i], places[kept] = places[kept], places[i]
            kept += 1
    slots = min(SEEDER_SLOTS, count)
    for i in range(kept, slots):
        chosen = i + draw(s.random, count - i)
        places[i], places[chosen] = places[chosen], places[i]
        s.unchoked[peer, places[i]] = True
    for i in range(slots, count):
        _choke(s, peer, places[i])


@compiled
def _reciprocate(s: Swarms, peer: int, step: int, places: npt.NDArray[np.int64], count: int) -> None:
    """Give a leecher's slots to the neighbours that upload most to it, and one to a random neighbour."""
    turn = _is_turn(step, peer)
    slots = min(TIT_FOR_TAT_SLOTS, count)
    for i in range(slots):
        # Between rotations, ties go to neighbours that have a slot. At a rotation, the scan's random start decides.
        start, left = draw(s.random, count - i), count - i
        best = NOBODY
        best_rate = -1.0
        for offset in range(left):
            j = i + (start + offset) % left
            rate = s.rate[peer, places[j]] + (0.5 if s.unchoked[peer, places[j]] and not turn else 0.0)
            if rate > best_rate:
                best, best_rate = j, rate
        places[i], places[best] = places[best], places[i]
    lucky = NOBODY
    for i in range(slots, count):
        if not turn and s.neighbour[peer, places[i]] == s.optimistic[peer]:
            lucky = i
    if lucky == NOBODY and count > slots:
        lucky = slots + draw(s.random, count - slots)
        s.optimistic[peer] = s.neighbour[peer, places[lucky]]
    for i in range(count):
        if i < slots or i == lucky:
            s.unchoked[peer, places[i]] = True
        else:
            _choke(s, peer, places[i])


@compiled
def give_slots(s: Swarms, step: int, flows: npt.NDArray[np.int64]) -> int:
    """Decide which peers upload to which. Write each (sender, connection) to ``flows``; return how many there are."""
    places = np.empty(MAX_CONNECTIONS, np.int64)
    flow = 0
    for i in range(s.tally[0]):
        peer = s.present[i]
        count = _interested(s, peer, places)
        if s.role[peer] == SEEDER:
            _rotate_slots(s, peer, step, places, count)
        else:
            _reciprocate(s, peer, step, places, count)
        for j in range(count):
            if s.unchoked[peer, places[j]]:
                flows[flow, 0] = peer
                flows[flow, 1] = places[j]
                flow += 1
    return flow


@compiled
def useful_bytes(s: Swarms, receiver: int, sender: int) -> int:
    """Count the bytes a sender has that the receiver still lacks."""
    piece_bytes = s.piece_bytes[s.torrent[receiver]]
    total = 0
    for word in range(WORDS):
        lacking = s.have[sender, word] & ~s.have[receiver, word]
        while lacking:
            total += piece_bytes
            lacking &= lacking - ONE
        if total > s.down[s.user[receiver]] + PIECES * piece_bytes // 8:
            return total
    for piece in range(PIECES):
        if has(s.have[sender], piece) and not has(s.have[receiver], piece):
            total -= s.progress[receiver, piece]
    return total


@compiled
def share_lines(
    up: npt.NDArray[np.int64],
    down: npt.NDArray[np.int64],
    senders: npt.NDArray[np.int64],
    receivers: npt.NDArray[np.int64],
    limits: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Share lines among flows by water-filling: max-min fair over both ends and each flow's own limit.

    ``senders`` and ``receivers``: users; the result is in the unit of ``up`` and ``down``.
    """
    count = len(senders)
    rates = np.full(count, -1.0)
    left = np.empty((2, len(up)))
    left[0], left[1] = up, down
    users = np.zeros((2, len(up)), np.int64)
    for f in range(count):
        users[0, senders[f]] += 1
        users[1, receivers[f]] += 1
    lowest = np.empty((2, len(up)))
    level = np.empty(count)
    open_flows = np.arange(count)
    remaining = count
    while remaining:
        lowest[:] = NEVER
        for i in range(remaining):
            f = open_flows[i]
            a, b = senders[f], receivers[f]
            level[f] = max(0.0, min(left[0, a] / users[0, a], left[1, b] / users[1, b], float(limits[f])))
            lowest[0, a] = min(lowest[0, a], level[f])
            lowest[1, b] = min(lowest[1, b], level[f])
        still = 0
        for i in range(remaining):
            # A flow that has the smallest share at both its ends is at its bottleneck: its share is final.
            f = open_flows[i]
            a, b = senders[f], receivers[f]
            if level[f] <= min(lowest[0, a], lowest[1, b]):
                rates[f] = level[f]
                left[0, a] -= level[f]
                left[1, b] -= level[f]
                users[0, a] -= 1
                users[1, b] -= 1
            else:
                open_flows[still] = f
                still += 1
        remaining = still
    return rates


@compiled
def _choose_piece(s: Swarms, receiver: int, sender: int) -> int:
    """Choose a piece to fetch: one begun and abandoned, or the rarest, or one that is being fetched from others too."""
    busy = np.zeros(WORDS, np.uint64)
    for place in range(s.degree[receiver]):
        if s.working[receiver, place] != NOBODY:
            put(busy, s.working[receiver, place])
    start = draw(s.random, PIECES)
    best, best_seen = NOBODY, PIECES * PIECES
    shared = NOBODY
    for offset in range(PIECES):
        piece = (start + offset) % PIECES
        if not has(s.have[sender], piece) or has(s.have[receiver], piece) or has(s.fresh[receiver], piece):
            continue
        if has(busy, piece):
            shared = piece
        elif s.progress[receiver, piece]:
            return piece
        elif s.seen[receiver, piece] < best_seen:
            best, best_seen = piece, s.seen[receiver, piece]
    return best if best != NOBODY else shared


@compiled
def _send(s: Swarms, sender: int, place: int, budget: int) -> None:
    """Send at most ``budget`` bytes over one connection."""
    receiver, place_there = s.neighbour[sender, place], s.mirror[sender, place]
    piece_bytes = s.piece_bytes[s.torrent[receiver]]
    left = budget
    while left > 0:
        piece = s.working[receiver, place_there]
        if piece == NOBODY or has(s.fresh[receiver], piece) or has(s.have[receiver], piece):
            piece = _choose_piece(s, receiver, sender)
            s.working[receiver, place_there] = piece
            if piece == NOBODY:
                break
        taken = min(left, piece_bytes - s.progress[receiver, piece])
        s.progress[receiver, piece] += taken
        left -= taken
        if s.progress[receiver, piece] == piece_bytes:
            put(s.fresh[receiver], piece)
            s.working[receiver, place_there] = NOBODY
    sent = budget - left
    s.uploaded[sender] += sent
    s.downloaded[receiver] += sent
    s.rate[receiver, place_there] += (1.0 - MEMORY) * sent


@compiled
def _show_fresh_pieces(s: Swarms, peer: int) -> None:
    complete = True
    for word in range(WORDS):
        fresh = s.fresh[peer, word]
        if fresh:
            for bit in range(64):
                if (fresh >> np.uint64(bit)) & ONE:
                    for place in range(s.degree[peer]):
                        s.seen[s.neighbour[peer, place], word * 64 + bit] += 1
            s.have[peer, word] |= fresh
            s.fresh[peer, word] = np.uint64(0)
        complete = complete and s.have[peer, word] == ~np.uint64(0)
    if complete:
        s.done[s.tally[1]] = peer
        s.tally[1] += 1


@compiled
def advance(s: Swarms, step: int, flows: npt.NDArray[np.int64]) -> None:
    """Simulate one step. Peers that complete in it are seeders afterwards, and are in ``done``."""
    s.tally[1] = 0
    for i in range(s.tally[0]):
        peer = s.present[i]
        s.rate[peer, : s.degree[peer]] *= MEMORY
        if (step + peer) % REDIAL_STEPS == 0:
            dial(s, peer)
    count = give_slots(s, step, flows)
    senders, receivers, limits = np.empty((3, count), np.int64)
    for f in range(count):
        sender = flows[f, 0]
        receiver = s.neighbour[sender, flows[f, 1]]
        senders[f], receivers[f] = s.user[sender], s.user[receiver]
        limits[f] = useful_bytes(s, receiver, sender)
    rates = share_lines(s.up, s.down, senders, receivers, limits)
    for f in range(count):
        _send(s, flows[f, 0], flows[f, 1], int(rates[f]))
    for i in range(s.tally[0]):
        if s.role[s.present[i]] == LEECHER:
            _show_fresh_pieces(s, s.present[i])
    for i in range(s.tally[1]):
        become_seeder(s, s.done[i])


@compiled
def run(s: Swarms, step: int, until: int) -> int:
    """Simulate steps until somebody completes, or up to ``until``; return the number of the next step.

    Time in which nobody downloads is skipped.
    """
    flows = np.empty((s.tally[0] * MAX_CONNECTIONS + 1, 2), np.int64)
    s.tally[1] = 0
    if s.tally[2] == 0:
        return until
    while step < until and s.tally[1] == 0:
        advance(s, step, flows)
        step += 1
    return step
