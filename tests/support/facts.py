"""Facts as announce would write them: a test names only the fields that it cares about."""

import hashlib
from typing import Any

from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import Event, Fact, FactFlag, pack_fact, shard_of
from etracker_shared.language.identity import InfoHash, KeyHash, hash_announce_key, hash_guest

PEER_ID = b"-TR4050-abcdefghijkl"
START_MS = 1_700_000_000_000


def info_hash_of(name: str) -> InfoHash:
    """Return an infohash made of a name."""
    return InfoHash(hashlib.sha1(name.encode(), usedforsecurity=False).digest())


def make_fact(**changes: Any) -> Fact:
    """Make a fact of the key ``alice`` about the torrent ``film``; ``at`` is seconds after the start.

    ``key``, ``guest`` (a peer_id) and ``torrent`` are names. ``address`` is a name, too; without one the fact doesn't
    say where it comes from.
    """
    at_ms = START_MS + round(changes.pop("at", 0) * 1000)
    key_hash, flags = hash_announce_key(changes.pop("key", "alice")), FactFlag.NONE
    if (guest := changes.pop("guest", None)) is not None:
        key_hash, flags = hash_guest(guest, b""), FactFlag.GUEST
        changes["peer_id"] = guest
    if (address := changes.pop("address", None)) is not None:
        changes["address_hash"] = hashlib.blake2b(address.encode(), digest_size=8).digest()
    defaults: dict[str, Any] = {
        "key_hash": KeyHash(key_hash),
        "info_hash": info_hash_of(changes.pop("torrent", "film")),
        "peer_id": PEER_ID,
        "prefix": b"\x04\x0a\x00\x00\x00\x00\x00",
        "at_ms": at_ms,
        "uploaded": 0,
        "downloaded": 0,
        "left": 0,
        "corrupt": 0,
        "redundant": 0,
        "event": Event.REGULAR,
        "flags": flags,
        "interval_seconds": 1800,
        "seeding_prefixes": 1,
    }
    return Fact(**{**defaults, **changes})


def entry_commands(*facts: Fact) -> list[tuple[bytes, bytes, bytes]]:
    """Return the arguments for XADD: key, field and value, one entry per shard, facts in order."""
    by_shard: dict[int, bytes] = {}
    for fact in facts:
        shard = shard_of(fact.key_hash)
        by_shard[shard] = by_shard.get(shard, b"") + pack_fact(fact)
    return [(redis_keys.facts(shard), redis_keys.ENTRY_FIELD, packed) for shard, packed in by_shard.items()]
