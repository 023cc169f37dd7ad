"""Identifiers: announce keys, key hashes, infohashes and address prefixes.

An announce key is a secret that only its holder has. Postgres, Redis and facts contain its hash, the first 16 bytes of
SHA-256(key).
"""

import hashlib
import secrets
from ipaddress import IPv4Address, IPv6Address
from typing import NewType

InfoHash = NewType("InfoHash", bytes)
"""20 bytes: a v1 SHA-1, or a v2 SHA-256 truncated as BEP 52 announces it."""

KeyHash = NewType("KeyHash", bytes)
"""16 bytes: the first half of SHA-256 of an announce key, or of what identifies a guest."""

ANNOUNCE_KEY = r"[A-Za-z0-9_-]{1,64}"
"""What an announce key looks like; operators may choose their own."""

_GUEST_PREFIX = b"guest:"


def new_announce_key() -> str:
    """Generate a new announce key: 30 hex digits, 120 random bits.

    Since it is in hex, a key can't contain the word "announce" (BEP 48).
    """
    return secrets.token_hex(15)


def hash_announce_key(announce_key: str) -> KeyHash:
    """Hash an announce key, as the function of the same name does in Postgres."""
    return KeyHash(hashlib.sha256(announce_key.encode()).digest()[:16])


def hash_guest(peer_id: bytes, proof: bytes) -> KeyHash:
    """Hash a guest's peer_id (20 bytes), which others know, and a proof, which they don't. No key has the same hash.

    ``proof``: the announce's ``key`` parameter, or the guest's address prefix if it sent none.
    """
    return KeyHash(hashlib.sha256(_GUEST_PREFIX + peer_id + proof).digest()[:16])


def address_prefix(address: IPv4Address | IPv6Address) -> bytes:
    """Reduce an address to the network of one household or site: the IPv4 /24 or the IPv6 /48.

    Returns 7 bytes: the family (4 or 6), then the prefix padded with zeros.
    """
    return packed_prefix(address.packed)


def packed_prefix(packed: bytes) -> bytes:
    """Reduce an address of 4 or 16 bytes, in network order; see :func:`address_prefix`."""
    if len(packed) == 4:
        return b"\x04" + packed[:3] + b"\x00\x00\x00"
    return b"\x06" + packed[:6]
