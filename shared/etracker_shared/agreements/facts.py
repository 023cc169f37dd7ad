"""The fact: the content of one announce, as it is passed through the stream to the scoring worker.

Facts carry absolute counters as the client reported them, never deltas. So the next announce makes up for a lost fact,
and a repeated one changes nothing. Announce packs the facts of one batch that belong to the same shard into stream
entries with a single field, ``ENTRY_FIELD`` of :mod:`~etracker_shared.agreements.redis_keys`. The field's value is any
number of packed facts, concatenated.
"""

import enum
import struct
from collections.abc import Iterator
from typing import NamedTuple

from etracker_shared.language.identity import InfoHash, KeyHash

FACT_VERSION = 2
LAST_VERSION = 31
"""Versions are the bytes below printable ASCII: an entry that begins with any other byte never held facts."""

SHARDS = 16
"""Number of streams. Facts of one key are in one stream, so their order is kept."""

UNKNOWN = -1
"""A counter, or the bytes left, that the client didn't report or that can't be read."""

MAX_COUNTER = 2**63 - 1
MAX_SUPPRESSED = 2**16 - 1
NO_ADDRESS = bytes(8)
"""The address hash of a fact of a version without address hashes."""

_FIRST = "<BBBB16s20s20s7sxQqqqqqI"
_LAYOUTS = {1: struct.Struct(_FIRST), 2: struct.Struct(_FIRST + "8sHH")}
_LAYOUT = _LAYOUTS[FACT_VERSION]
FACT_SIZE = _LAYOUT.size


class NewerFactError(ValueError):
    """A fact of a newer version than this code can read: leave it to a newer worker, so that nothing is lost."""


class Event(enum.IntEnum):
    """The event of an announce; anything unknown is a regular announce."""

    REGULAR = 0
    STARTED = 1
    COMPLETED = 2
    STOPPED = 3
    PAUSED = 4


class FactFlag(enum.IntFlag):
    """What announce knew about the client."""

    NONE = 0
    GUEST = 1
    PROVISIONAL = 2
    """Scoring didn't answer for a key that announce had never seen: drop the fact if the key isn't registered."""
    FOREIGN_USER_AGENT = 4
    """Its User-Agent names another client than its peer_id. Workers that don't know this flag ignore it."""


_EVENTS = tuple(Event)
_FLAGS = tuple(FactFlag(bits) for bits in range(256))


class Fact(NamedTuple):
    """One acknowledged announce. It is a named tuple because every announce creates one, which the worker then reads.

    ``at_ms``: Unix time in milliseconds. Counters and ``left`` are bytes, or :data:`UNKNOWN`.
    ``prefix``: 7 bytes, see :func:`~etracker_shared.language.identity.address_prefix`.
    ``interval_seconds``: the usual interval of this key in this torrent, which is the one that clients with ``left`` 0
    got; a leecher may have got a shorter one. ``seeding_prefixes``: distinct address prefixes that seed the torrent,
    as announce last counted them, at most 16; also 16 if it never counted them.
    ``address_hash``: keyed hash of the address, 8 bytes; the address itself is stored nowhere. ``suppressed``: how many
    announces of this client have been answered without a fact since its last one.
    """

    key_hash: KeyHash
    info_hash: InfoHash
    peer_id: bytes
    prefix: bytes
    at_ms: int
    uploaded: int
    downloaded: int
    left: int
    corrupt: int
    redundant: int
    event: Event
    flags: FactFlag
    interval_seconds: int
    seeding_prefixes: int
    address_hash: bytes = NO_ADDRESS
    port: int = 0
    suppressed: int = 0


def pack_fact(fact: Fact) -> bytes:
    """Pack one fact into :data:`FACT_SIZE` bytes, little-endian."""
    return _LAYOUT.pack(
        FACT_VERSION,
        fact.flags,
        fact.event,
        fact.seeding_prefixes,
        fact.key_hash,
        fact.info_hash,
        fact.peer_id,
        fact.prefix,
        fact.at_ms,
        fact.uploaded,
        fact.downloaded,
        fact.left,
        fact.corrupt,
        fact.redundant,
        fact.interval_seconds,
        fact.address_hash,
        fact.port,
        fact.suppressed,
    )


def fact_size(entry: bytes) -> int:
    """Return the size of each fact in an entry, the first byte of which is the facts' version.

    Raises:
        ValueError: no fact begins with that byte.
    """
    layout = _LAYOUTS.get(entry[0])
    if layout is None:
        raise ValueError(f"{entry[0]} is not a version of facts")
    return layout.size


def unpack_facts(entry: bytes) -> Iterator[Fact]:
    """Unpack the facts of one stream entry.

    Raises:
        NewerFactError: the entry has facts of a newer version, whose size may differ.
        ValueError: the entry holds no facts.
    """
    if not entry:
        return
    if FACT_VERSION < entry[0] <= LAST_VERSION:
        raise NewerFactError(f"facts of version {entry[0]}, but this worker reads only up to version {FACT_VERSION}")
    size = fact_size(entry)
    if len(entry) % size:
        raise ValueError(f"an entry of {len(entry)} bytes doesn't hold a whole number of facts of {size} bytes")
    for fields in _LAYOUTS[entry[0]].iter_unpack(entry):
        version, flags, event, prefixes, key_hash, info_hash, peer_id, prefix = fields[:8]
        if version != entry[0]:
            raise ValueError(f"a fact of version {version} in an entry of version {entry[0]}")
        if event >= len(_EVENTS):
            raise ValueError(f"{event} is not an event")
        reported = (*fields[8:14], _EVENTS[event], _FLAGS[flags], fields[14], prefixes, *fields[15:])
        yield Fact(key_hash, info_hash, peer_id, prefix, *reported)


def shard_of(key_hash: bytes) -> int:
    """Return the stream of a key: all facts of one key are in one stream, so that they keep their order."""
    return key_hash[0] % SHARDS
