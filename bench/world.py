"""The peers of a benchmark: their identities, their next announces, and the statistics that must result."""

import hashlib
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Protocol, Self
from urllib.parse import quote_from_bytes

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SWARM_SIZES = (1, 1, 2, 2, 4, 6, 8, 12, 24, 40)
"""A few swarms hold most peers, as on real trackers; 10 on average, whatever the size of the world."""

PEERS_PER_KEY = 10
TIERS = 5
TORRENT_BYTES = 2**30
SEEDERS_SHARE = 0.6
STOPPED_SHARE = 0.02
COMPLETED_SHARE = 0.01
LARGEST_STEP_BYTES = 2**22
FIRST_PORT, PORTS = 20_000, 40_000
FIRST_ADDRESS = 31 << 24  # a public block: private addresses aren't handed out to everybody
ADDRESS_STEP = 37  # a handful of users share a /24

_EVENTS = ("", "&event=started", "&event=stopped", "&event=completed")
_REGULAR, _STARTED, _STOPPED, _COMPLETED = range(4)


@dataclass(frozen=True, slots=True)
class Shape:
    """With ``swarms`` 1 all peers are in one swarm, each with its own key."""

    name: str
    peers: int
    swarms: int

    @property
    def keys(self) -> int:
        """How many announce keys the peers have."""
        return self.peers if self.swarms == 1 else self.peers // PEERS_PER_KEY


class Request(Protocol):
    """The form in which a tracker expects announces."""

    def path(self, announce_key: str) -> str:
        """Return the path of an announce URL."""
        ...


def announce_key(shape: Shape, index: int) -> str:
    """Return the key of one user: 30 hex digits."""
    return hashlib.sha256(f"{shape.name} key {index}".encode()).hexdigest()[:30]


def tier_of(index: int) -> int:
    """Return the tier that a user's past earns: every tier is equally frequent, in every swarm."""
    return index % TIERS


def info_hash(shape: Shape, index: int) -> bytes:
    """Return the infohash of one torrent: 20 bytes."""
    return hashlib.sha1(f"{shape.name} {index}".encode(), usedforsecurity=False).digest()


def peer_id(index: int) -> bytes:
    """Return the peer_id of one peer: 20 bytes."""
    return b"-qB4520-%012d" % index


class Turns:
    """The order in which peers announce: all of them once, then again from the start."""

    def __init__(self, order: Ints) -> None:
        self.order = order
        self._next = 0

    def take(self, most: int) -> Ints:
        """Return the next ``most`` peers, or fewer if the order ends before that."""
        start, end = self._next, min(self._next + most, len(self.order))
        self._next = end % len(self.order)
        return self.order[start:end]


class World:
    """The state of every peer. Peers announce in a fixed random order: a peer's announces never overtake each other."""

    def __init__(self, shape: Shape, seed: int = 1) -> None:
        self.shape = shape
        self._random = np.random.default_rng(seed)
        count = shape.peers
        self.torrent_of = _spread(shape)
        self.key_of = np.arange(count) % shape.keys
        self.uploaded = self._random.integers(0, TORRENT_BYTES, count)
        self.first_uploaded = self.uploaded.copy()
        """The counters of each peer's first announce, which credits nothing; later ones are credited relative to it."""
        self.downloaded = np.zeros(count, np.int64)
        self.left = np.where(self._random.random(count) < SEEDERS_SHARE, 0, TORRENT_BYTES)
        self.joined = np.zeros(count, np.bool_)
        self.snatched = np.zeros(count, np.bool_)
        self.announced = np.zeros(count, np.bool_)
        self.turns = Turns(self._random.permutation(count))

    def addresses(self, peers: Ints) -> Ints:
        """Return each peer's IPv4 address as a number."""
        return FIRST_ADDRESS + self.key_of[peers] * ADDRESS_STEP

    def ports(self, peers: Ints) -> Ints:
        """Return each peer's port."""
        return FIRST_PORT + peers % PORTS

    def of_keys(self, keys: int) -> Self:
        """Return the same world, in which only the peers of the first keys announce.

        Both worlds share the state of the peers.
        """
        part = copy(self)
        part.turns = Turns(self.turns.order[self.key_of[self.turns.order] < keys])
        return part

    def join_silently(self) -> None:
        """Treat every peer as joined, with its first announce made (for worlds that are loaded, not announced)."""
        self.joined[:] = True
        self.announced[:] = True

    def announces(self, count: int, tracker: Request, *, close: bool) -> list[bytes]:
        """Return the next announces, and treat them as answered. ``close``: each asks to close its connection."""
        ending = "Connection: close\r\n\r\n" if close else "\r\n"
        steps = self.steps(count)
        return [request for peers, events in steps for request in self._encode(peers, events, tracker, ending)]

    def steps(self, count: int) -> Iterator[tuple[Ints, Ints]]:
        """Let the next ``count`` peers announce; yield groups of different peers, each with its events."""
        while count > 0:
            peers = self.turns.take(count)
            count -= len(peers)
            yield peers, self._step(peers)

    def first_announces(self) -> Ints:
        """Choose peers so that every torrent and every key is announced at least once, which fills both caches."""
        _, firsts = np.unique(self.torrent_of[self.turns.order], return_index=True)
        of_torrents = self.turns.order[firsts]
        strange = np.setdiff1d(self.key_of, self.key_of[of_torrents])
        chosen = np.concatenate([of_torrents, strange])  # a key's first peer has the same number as the key
        return self._random.permutation(chosen)

    def announces_of(self, peers: Ints, tracker: Request) -> list[bytes]:
        """Return an announce of each of these peers, all different, and treat them as answered."""
        return self._encode(peers, self._step(peers), tracker, "\r\n")

    def _step(self, peers: Ints) -> Ints:
        """Advance each of these peers, all different, to its next announce; return the events."""
        chance = self._random.random(len(peers))
        joined, leeching = self.joined[peers], self.left[peers] > 0
        completes = joined & leeching & (chance < COMPLETED_SHARE)
        stops = joined & ~completes & (chance > 1 - STOPPED_SHARE)
        events = np.select([~joined, completes, stops], [_STARTED, _COMPLETED, _STOPPED], _REGULAR)
        self._transfer(peers, completes)
        self.announced[peers] = True
        self.snatched[peers[completes]] = True
        self.joined[peers] = ~stops
        return events

    def _transfer(self, peers: Ints, completes: Bools) -> None:
        moved = self.joined[peers]
        self.uploaded[peers] += np.where(moved, self._random.integers(0, LARGEST_STEP_BYTES, len(peers)), 0)
        step = np.where(moved, self._random.integers(0, LARGEST_STEP_BYTES, len(peers)), 0)
        step = np.minimum(step, np.maximum(self.left[peers] - 1, 0))
        step = np.where(completes, self.left[peers], step)
        self.downloaded[peers] += step
        self.left[peers] -= step

    def _encode(self, peers: Ints, events: Ints, tracker: Request, ending: str) -> list[bytes]:
        shape = self.shape
        columns = (peers, events, self.torrent_of[peers], self.key_of[peers], self.uploaded[peers])
        rest = (self.downloaded[peers], self.left[peers], self.addresses(peers), self.ports(peers))
        return [
            (
                f"GET {tracker.path(announce_key(shape, key))}?info_hash={quote_from_bytes(info_hash(shape, torrent))}"
                f"&peer_id={peer_id(peer).decode()}&port={port}&uploaded={uploaded}&downloaded={downloaded}&left={left}"
                f"&corrupt=0&key={peer:08X}{_EVENTS[event]}&numwant=50&compact=1&no_peer_id=1&supportcrypto=1"
                f"&redundant=0 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: qBittorrent/4.5.2\r\n"
                f"Accept-Encoding: gzip\r\nX-Forwarded-For: {_dotted(address)}\r\n{ending}"
            ).encode()
            for peer, event, torrent, key, uploaded, downloaded, left, address, port in zip(
                *(column.tolist() for column in (*columns, *rest)), strict=True
            )
        ]

    def expected_by_key(self) -> dict[str, tuple[int, int, int]]:
        """Return the statistics that must result: (uploaded, downloaded, snatched) by key, for keys that announced.

        Downloads begin at 0 with the first announce.
        """
        seen = self.announced
        keys = self.key_of[seen]
        uploaded = np.bincount(keys, (self.uploaded - self.first_uploaded)[seen], self.shape.keys)
        downloaded = np.bincount(keys, self.downloaded[seen], self.shape.keys)
        snatched = np.bincount(keys, self.snatched[seen], self.shape.keys)
        return {
            announce_key(self.shape, key): (int(uploaded[key]), int(downloaded[key]), int(snatched[key]))
            for key in np.unique(keys).tolist()
        }


def _spread(shape: Shape) -> Ints:
    """Return the torrent of each peer."""
    if shape.swarms == 1:
        return np.zeros(shape.peers, np.int64)
    sizes = np.resize(SWARM_SIZES, shape.swarms)
    spread = np.repeat(np.arange(shape.swarms), sizes)
    return np.resize(spread, shape.peers)


def _dotted(address: int) -> str:
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"
