"""An in-memory tracker: the service's own policies, with tables that replace Redis' packed ones."""

from dataclasses import dataclass

import numpy as np

from etracker_announce.domain import presence
from etracker_announce.domain.interval import spread
from etracker_announce.domain.policies import Asker, Policy, Question, equilibrium
from etracker_announce.domain.swarm import RECORD, PeerFlag, Records, Role

EPOCH = 1_750_000_000
"""The start of the simulated clock, Unix seconds."""

INTERVAL_SECONDS = 1800
NUMWANT = 50
_MASK = 2**64 - 1
_PEER_BITS = 32


@dataclass(frozen=True, slots=True)
class Member:
    """A peer as the tracker knows it.

    ``identity``: its key's; the low 32 bits are its number in the simulation, so that a peer can have several keys.
    """

    identity: int
    torrent: int
    pair_hash: int
    tier: int
    share: float = 0.0


def identity_of(peer: int, key: int = 0) -> int:
    """Return the identity of one of a peer's keys."""
    return key << _PEER_BITS | peer


def mixed(*values: int) -> int:
    """Mix integers to 64 well-spread bits."""
    x = 0
    for value in values:
        x = (x + value + 0x9E3779B97F4A7C15) & _MASK
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
        x ^= x >> 31
    return x


class Table:
    """Records of one side of a swarm, without gaps: the last record fills the place of a removed one."""

    def __init__(self) -> None:
        self._records: Records = np.zeros(16, RECORD)
        self._slots: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def put(self, member: Member, first_seen: int, now: int, flags: PeerFlag) -> None:
        """Write a member's record, at the end if it is new."""
        slot = self._slots.setdefault(member.identity, len(self._slots))
        if slot == len(self._records):
            self._records = np.concatenate([self._records, np.zeros_like(self._records)])
        record = self._records[slot]
        record["identity"], record["pair_hash"] = member.identity, member.pair_hash
        record["first_seen"], record["seen4"] = first_seen, now
        record["tier"], record["flags"] = member.tier, int(flags)

    def remove(self, identity: int) -> None:
        """Remove a member, if it is there."""
        slot = self._slots.pop(identity, None)
        last = len(self._slots)
        if slot is not None and slot != last:
            self._records[slot] = self._records[last]
            self._slots[int(self._records[slot]["identity"])] = slot

    def windows(self, wanted: int, seed: int) -> Records:
        """Read two windows at places that depend on the seed, as announce.lua does."""
        count = len(self)
        if wanted >= count:
            return self._records[:count]
        half = (wanted + 1) // 2
        first = (seed & 0xFFFFFFFF) * count >> 32
        second = first + half + ((seed >> 32) * (count - wanted + 1) >> 32)
        places = np.concatenate([np.arange(first, first + half), np.arange(second, second + wanted - half)])
        chosen: Records = self._records.take(places % count)
        return chosen


class Tracker:
    """Announces of all swarms of one run under one policy."""

    def __init__(self, policy: Policy, secret: int, interval_seconds: int = INTERVAL_SECONDS) -> None:
        self._policy = policy
        self._interval_seconds = interval_seconds
        self._secret = secret
        self._tables: dict[tuple[int, Role], Table] = {}
        self._pace = presence.Pace(presence.longest_gap(interval_seconds), equilibrium.DEFAULTS.idle_pace)
        self._present: dict[tuple[int, int], presence.Presence] = {}
        self._gone: dict[tuple[int, int], presence.Presence] = {}

    def announce(
        self, member: Member, role: Role, torrent_bytes: int, left_bytes: int, seconds: int
    ) -> tuple[list[int], int]:
        """Answer one announce; return the chosen peers and the interval."""
        now = EPOCH + seconds
        first_seen = self._join(member, role, left_bytes, now)
        seed = mixed(self._secret, member.pair_hash, member.torrent, now // self._interval_seconds)
        asker = Asker(member.identity, member.pair_hash, member.tier, role, first_seen, member.share)
        seeders = self.seeders_of(member.torrent)
        leechers = len(self._table(member.torrent, Role.LEECHER))
        question = Question(asker, NUMWANT, torrent_bytes, seed & 0xFFFFFFFF, now, seeders, leechers)
        wanted = self._policy.interval(question) or self._interval_seconds
        interval = spread(wanted, member.identity.to_bytes(8, "little"))
        candidates = self._candidates(member.torrent, role, seed)
        others = candidates.take((candidates["identity"] != member.identity).nonzero()[0])
        if not len(others):
            return [], interval
        chosen = self._policy.choose(question, others)["identity"]
        return (chosen & np.uint64(2**_PEER_BITS - 1)).tolist(), interval

    def seeders_of(self, torrent: int) -> int:
        """Count a torrent's seeders."""
        return len(self._table(torrent, Role.SEEDER))

    def leechers_of(self, torrent: int) -> int:
        """Count a torrent's leechers."""
        return len(self._table(torrent, Role.LEECHER))

    def stop(self, member: Member) -> None:
        """Remove a member from its swarm."""
        for role in (Role.LEECHER, Role.SEEDER):
            self._table(member.torrent, role).remove(member.identity)
        place = member.identity, member.torrent
        if place in self._present:
            self._gone[place] = self._present.pop(place)

    def _join(self, member: Member, role: Role, left_bytes: int, now: int) -> int:
        first_seen = self._wait(member, presence.left_units(left_bytes), now).counts_from
        other = Role.SEEDER if role is Role.LEECHER else Role.LEECHER
        self._table(member.torrent, other).remove(member.identity)
        flags = PeerFlag.SEEDER if role is Role.SEEDER else PeerFlag.NONE
        self._table(member.torrent, role).put(member, first_seen, now, flags)
        return first_seen

    def _wait(self, member: Member, left: int, now: int) -> presence.Presence:
        place = member.identity, member.torrent
        before, gone = self._present.get(place), self._gone.pop(place, None)
        if before is not None:
            waiting = presence.announce(before, now, left, self._pace)
        else:
            waiting = presence.join(now, left, age=0 if gone is None else gone.age)
        self._present[place] = waiting
        return waiting

    def _table(self, torrent: int, role: Role) -> Table:
        return self._tables.setdefault((torrent, role), Table())

    def _candidates(self, torrent: int, role: Role, seed: int) -> Records:
        """Choose windows of both tables, in the same proportions as announce.lua."""
        seeders, leechers = self._table(torrent, Role.SEEDER), self._table(torrent, Role.LEECHER)
        window = self._policy.window(NUMWANT)
        if role is Role.SEEDER:
            of_seeders = len(seeders) if len(seeders) <= self._policy.rivals else 0
            of_leechers = min(window, len(leechers))
            if not of_leechers:
                return leechers.windows(0, seed)
        else:
            floor = window // 4
            share = window * len(seeders) // max(1, len(seeders) + len(leechers))
            of_seeders = min(len(seeders), max(floor, min(share, window - floor)))
            of_leechers = min(len(leechers), window - of_seeders)
            of_seeders = min(len(seeders), window - of_leechers)
        return np.concatenate([seeders.windows(of_seeders, seed), leechers.windows(of_leechers, seed)])
