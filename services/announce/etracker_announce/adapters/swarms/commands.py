"""Steps and answers as Redis sees them: the scripts, their arguments, and what they return."""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from etracker_announce.domain.swarm import RECORD, Counts, PeerFlag, Role, Step, View
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.block_lists import HANDED_SECONDS, MOST_HANDED
from etracker_shared.agreements.counts import unpack_counts
from etracker_shared.agreements.peer_records import LAYOUT
from etracker_shared.plumbing.redis_scripts import Script

_PACKAGE = __package__

Command = tuple[bytes | int, ...]
"""A Redis command and its arguments."""

MOST_MESSAGES = 3
MESSAGE_PAUSE_SECONDS = 3600
"""An offender is told why it was confirmed at most three times, an hour apart."""

_STEP = struct.Struct("<IIIIIIHHBBBBB4sIId")
_SWEEP = struct.Struct("<IIII")
_VIEW = struct.Struct("<IIIIIB")
_UNKNOWN_SNATCHES = 2**32 - 1
_MASK = 2**32 - 1
_LOOK = 2
_DUAL, _PROGRESSED = 1, 2
_INDEXED, _ASKED = int(PeerFlag.INDEXED), int(PeerFlag.ASKED)
_ROLE_BITS = {
    Role.LEECHER: 0,
    Role.SEEDER: int(PeerFlag.SEEDER | PeerFlag.ASKED),
    Role.PARTIAL_SEED: int(PeerFlag.PARTIAL_SEED | PeerFlag.ASKED),
}


@dataclass(frozen=True, slots=True)
class SwarmLimits:
    """What the scripts need to know besides the step.

    ``peer_lifetime_seconds``: how long a peer lives after its last announce. ``sweep_seconds``: pause between
    two rounds of the sweeper over a swarm. ``peers_per_key`` and ``peers_per_address``: the most members that one key,
    and one IPv4 address or IPv6 /64, may have in a swarm; each at most 255.
    """

    peers_per_key: int
    peers_per_address: int
    peer_lifetime_seconds: int
    sweep_seconds: int


class Commands:
    """Make the commands of one process."""

    def __init__(self, limits: SwarmLimits) -> None:
        self._limits = limits
        self._announce = Script(_PACKAGE, "announce.lua")
        self._sweep = Script(_PACKAGE, "sweep.lua")
        self._turn = Script(_PACKAGE, "turn.lua")
        self._fact = Script(_PACKAGE, "fact.lua")
        self._handed = Script(_PACKAGE, "handed.lua")
        self._told = Script(_PACKAGE, "told.lua")

    @property
    def scripts(self) -> tuple[Script, ...]:
        """The scripts that a server must have loaded."""
        return self._announce, self._sweep, self._turn, self._fact, self._handed, self._told

    def announce(self, step: Step) -> Command:
        """Make the command of one step; :func:`parse_view` reads its reply."""
        keys = _swarm_keys(step.info_hash)
        return (b"EVALSHA", self._announce.sha, 8, *keys, _pack_record(step), self._pack_step(step))

    def sweep(self, info_hash: bytes, now: int, records: int) -> Command:
        """Make the command that sweeps at most ``records`` records; its reply is how many it looked at."""
        oldest = max(0, now - self._limits.peer_lifetime_seconds)
        arguments = _SWEEP.pack(now, oldest, records, self._limits.sweep_seconds)
        return (b"EVALSHA", self._sweep.sha, 8, *_swarm_keys(info_hash), arguments)

    def take_turn_of_full(self, token: bytes, milliseconds: int) -> Command:
        """Make the command that takes the turn to sweep a full Redis; its reply is None if another replica has it."""
        return (b"EVALSHA", self._turn.sha, 1, redis_keys.SWEEPER_LOCK, token, milliseconds)

    def add_to_full(self, shard: int, facts: bytes) -> Command:
        """Make the command that puts an entry into the stream of a Redis that is out of memory."""
        return (b"EVALSHA", self._fact.sha, 1, redis_keys.facts(shard), facts)

    def note_handed(self, recipient: bytes, fields: Mapping[bytes, bytes]) -> Command:
        """Make the command that notes what a recipient was handed or told; its reply is how many fields are new."""
        arguments = [part for field in fields.items() for part in field]
        key = redis_keys.handed(recipient)
        return (b"EVALSHA", self._handed.sha, 1, key, MOST_HANDED, HANDED_SECONDS, *arguments)

    def tell(self, offender: bytes, since: int, now: int) -> Command:
        """Make the command that counts a message to an offender; its reply is 1 if the message is due."""
        arguments = (now, since, MOST_MESSAGES, MESSAGE_PAUSE_SECONDS, HANDED_SECONDS)
        return (b"EVALSHA", self._told.sha, 1, redis_keys.handed(offender), *arguments)

    def _pack_step(self, step: Step) -> bytes:
        return _STEP.pack(
            step.now,
            max(0, step.now - self._limits.peer_lifetime_seconds),
            step.now + self._limits.sweep_seconds,
            step.window,
            step.window_seed & _MASK,
            (step.window_seed * 0x9E3779B1 + 0x7F4A7C15) & _MASK,
            step.rivals,
            step.witnesses,
            step.role,
            6 if len(step.endpoint) == 18 else 4,
            _LOOK if step.looks else step.stopped,
            self._limits.peers_per_key,
            self._limits.peers_per_address,
            zlib.crc32(step.peer_id).to_bytes(4, "little"),
            step.left,
            step.pace.longest_gap,
            step.pace.idle if step.window or step.stopped else 0.0,
        )


def add_facts(shard: int, facts: bytes) -> Command:
    """Make the command that puts an entry into the stream."""
    return (b"XADD", redis_keys.facts(shard), b"*", redis_keys.ENTRY_FIELD, facts)


def read_handed(recipient: bytes) -> Command:
    """Make the command that reads what a recipient was handed; :func:`parse_handed` reads its reply."""
    return (b"HGETALL", redis_keys.handed(recipient))


def parse_handed(reply: object) -> Mapping[bytes, bytes]:
    """Parse the reply, which redis-py makes a dictionary; nothing if Redis refused."""
    if isinstance(reply, list):
        return dict(zip(reply[::2], reply[1::2], strict=True))
    return reply if isinstance(reply, dict) else {}


def scrape(info_hash: bytes) -> Command:
    """Make the command that reads a swarm's counts; :func:`parse_counts` reads its reply."""
    key = redis_keys.members(info_hash)
    return (b"HMGET", key, redis_keys.COUNTS_FIELD, redis_keys.SNATCHES_FIELD)


def parse_view(reply: list[bytes]) -> View:
    """Parse the reply to a step."""
    seeders, leechers, partial_seeds, first_seen, snatches, bits = _VIEW.unpack(reply[0])
    counts = Counts(seeders, leechers, partial_seeds, None if snatches == _UNKNOWN_SNATCHES else snatches)
    candidates = np.frombuffer(b"".join(reply[1:]), dtype=RECORD)
    return View(counts, first_seen, candidates, bool(bits & _DUAL), bool(bits & _PROGRESSED))


def parse_counts(fields: tuple[bytes | None, bytes | None]) -> Counts:
    """Parse the fields ``n`` and ``d`` of a swarm's members hash."""
    packed, snatches = fields
    return Counts(*unpack_counts(packed), int(snatches) if snatches else None)


def _swarm_keys(info_hash: bytes) -> tuple[bytes, ...]:
    return (
        redis_keys.seeders(info_hash),
        redis_keys.leechers(info_hash),
        redis_keys.members(info_hash),
        redis_keys.totals(info_hash),
        redis_keys.changed(info_hash),
        redis_keys.due(info_hash),
        redis_keys.first_seen(info_hash),
        redis_keys.addresses(info_hash),
    )


def _pack_record(step: Step) -> bytes:
    over6 = len(step.endpoint) == 18
    # Flag operators cost fifty times as much as integer ones.
    flags = int(step.flags) | _INDEXED | _ROLE_BITS[step.role] | (_ASKED if step.window else 0)
    return LAYOUT.pack(
        step.key_hash[:8],
        step.pair_hash,
        0 if step.role else step.left,
        step.peer_id,
        step.now,
        0 if over6 else step.now,
        step.now if over6 else 0,
        step.tier,
        flags,
        b"" if over6 else step.endpoint,
        step.endpoint if over6 else b"",
    )
