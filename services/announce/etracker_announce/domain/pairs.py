"""The secret numbers of a peer in a torrent, on which peer selection is based."""

from hashlib import blake2b
from typing import NamedTuple

_MASK = 2**64 - 1


class Pair(NamedTuple):
    """``hash``: 32 bits, stored in the peer's record. ``window``: 64 others, from which windows are drawn."""

    hash: int
    window: int

    def window_seed(self, now: int, interval_seconds: int) -> int:
        """Return the 32 bits that decide which candidates are read during one interval."""
        mixed = (self.window ^ (now // interval_seconds)) * 0x9E3779B97F4A7C15 & _MASK
        mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93 & _MASK
        return mixed >> 32


def hash_pair(secret: bytes, sampled_as: bytes, info_hash: bytes) -> Pair:
    """Hash a peer (its key hash, or its address prefix for low tiers) and a torrent with the deployment's secret."""
    digest = blake2b(sampled_as + info_hash, key=secret, digest_size=16).digest()
    return Pair(int.from_bytes(digest[:4], "little"), int.from_bytes(digest[8:], "little"))
