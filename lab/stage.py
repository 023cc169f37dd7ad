"""The stage of the simulation: a clock, the swarms, a tracker, and the order of events."""

import heapq
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from etracker_announce.domain.policies import Policy
from etracker_announce.domain.swarm import Role

from . import connections, transfer
from .state import LEECHER, OUT, PIECES, SEEDER, STEP_SECONDS, Swarms
from .tracker import INTERVAL_SECONDS, Member, Tracker

FEW_PEERS = 20
IMPATIENT_SECONDS = 300
EXCHANGE_STEPS = 6


class People(Protocol):
    """The behaviour of the peers of a run. Times are seconds since its start."""

    def seeds(self, peer: int) -> bool:
        """Return whether a peer joins as a seeder."""

    def waits(self, peer: int, seconds: int) -> bool:
        """Return whether a peer announces before its download begins."""

    def stays(self, peer: int, seconds: int) -> bool:
        """Return whether a seeder stays; called when it completes and before each of its announces."""

    def keys(self, peer: int, role: Role, seconds: int) -> Sequence[Member]:
        """Return the members that a peer now announces as, one per key."""

    def left(self, peer: int, left_bytes: int) -> int:
        """Return what a peer reports as left to download."""

    def wait(self, peer: int, interval_seconds: int, connections: int) -> int:
        """Return after how many seconds a peer announces again."""


class Stage:
    """One run.

    ``arrival``: when each peer begins to announce, seconds. ``peer_exchange``: neighbours tell each other their
    addresses.
    """

    def __init__(
        self,
        swarms: Swarms,
        people: People,
        policy: Policy,
        arrival: npt.NDArray[np.float64],
        *,
        secret: int,
        peer_exchange: bool = False,
        interval_seconds: int = INTERVAL_SECONDS,
    ) -> None:
        self.swarms = swarms
        self.completed = np.full(len(arrival), np.nan)
        """When each peer completed, seconds."""
        self.announces = 0
        self._people = people
        self._tracker = Tracker(policy, secret, interval_seconds)
        self._peer_exchange = peer_exchange
        self._step = 0
        self._turns = [(int(np.ceil(at / STEP_SECONDS)), peer, 0) for peer, at in enumerate(arrival)]
        heapq.heapify(self._turns)
        self._turn_of = np.zeros(len(arrival), np.int64)
        self._keys: dict[int, Sequence[Member]] = {}

    @property
    def seconds(self) -> int:
        """The time now."""
        return self._step * STEP_SECONDS

    def seeders_of(self, torrent: int) -> int:
        """Count the seeders of a torrent that the tracker knows."""
        return self._tracker.seeders_of(torrent)

    def leechers_of(self, torrent: int) -> int:
        """Count the leechers of a torrent that the tracker knows."""
        return self._tracker.leechers_of(torrent)

    def play(self, until_seconds: int, completions: int) -> None:
        """Run until the given number of peers have completed, or to the end."""
        while completions and self._turns and self.seconds < until_seconds:
            self._take_turns()
            until = self._turns[0][0] if self._turns else until_seconds // STEP_SECONDS
            if self._peer_exchange:
                connections.exchange_peers(self.swarms)
                until = min(until, self._step + EXCHANGE_STEPS)
            self._step = transfer.run(self.swarms, self._step, until)
            for peer in self.swarms.done[: self.swarms.tally[1]].tolist():
                self.completed[peer] = self.seconds
                completions -= 1
                self._go_or_announce(peer)

    def _take_turns(self) -> None:
        while self._turns and self._turns[0][0] <= self._step:
            _step, peer, turn = heapq.heappop(self._turns)
            if turn != self._turn_of[peer]:
                continue
            if self.swarms.role[peer] == OUT and not self._people.waits(peer, self.seconds):
                connections.join(self.swarms, peer, SEEDER if self._people.seeds(peer) else LEECHER)
            self._go_or_announce(peer)

    def _go_or_announce(self, peer: int) -> None:
        self._turn_of[peer] += 1
        if self.swarms.role[peer] == SEEDER and not self._people.stays(peer, self.seconds):
            self._announce_as(peer, ())
            connections.leave(self.swarms, peer)
        else:
            self._announce(peer)

    def _announce(self, peer: int) -> None:
        s = self.swarms
        role = Role.SEEDER if s.role[peer] == SEEDER else Role.LEECHER
        keys = self._people.keys(peer, role, self.seconds)
        self._announce_as(peer, keys)
        wait = 0
        size = int(s.piece_bytes[s.torrent[peer]]) * PIECES
        left = self._people.left(peer, size - size // PIECES * int(np.bitwise_count(s.have[peer]).sum()))
        for member in keys:
            found, wait = self._tracker.announce(member, role, size, left, self.seconds)
            self.announces += 1
            if found and s.role[peer] != OUT:
                connections.learn(s, peer, np.array(found))
        wait = self._people.wait(peer, wait, int(s.degree[peer]))
        turn = (self._step + max(1, round(wait / STEP_SECONDS)), peer, int(self._turn_of[peer]))
        heapq.heappush(self._turns, turn)

    def _announce_as(self, peer: int, keys: Sequence[Member]) -> None:
        """Send "stopped" for members that a peer no longer uses."""
        used = {member.identity for member in keys}
        for member in self._keys.get(peer, ()):
            if member.identity not in used:
                self._tracker.stop(member)
        self._keys[peer] = keys
