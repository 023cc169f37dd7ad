"""Addresses with many guests: how many of them a swarm stores per minute, and which networks are exempt from limits."""

from collections.abc import Sequence
from ipaddress import ip_address

from cachetools import LRUCache

from etracker_shared.language.addresses import Network, is_trusted
from etracker_shared.language.identity import InfoHash

MOST_ADDRESSES = 65_536
MINUTE_SECONDS = 60
HALF_OF_IPV6 = 8


class Crowds:
    """Counts the announces of guests in this minute, by address (IPv4, or IPv6 /64) and torrent.

    ``shared``: networks whose addresses many people share.
    """

    def __init__(self, guests_per_minute: int, shared: Sequence[Network]) -> None:
        self._guests_per_minute = guests_per_minute
        self._shared = shared
        self._is_shared: LRUCache[bytes, bool] = LRUCache(MOST_ADDRESSES)
        self._minute = 0
        self._guests: dict[int, int] = {}

    def is_shared(self, packed: bytes) -> bool:
        """Return whether an address is exempt."""
        if not self._shared:
            return False
        shared = self._is_shared.get(packed)
        if shared is None:
            shared = self._is_shared[packed] = is_trusted(ip_address(packed), self._shared)
        return shared

    def is_flooded(self, packed: bytes, info_hash: InfoHash, now: float) -> bool:
        """Count a guest's announce; return whether it is beyond the number that is stored per address and minute."""
        if self.is_shared(packed):
            return False
        minute = int(now) // MINUTE_SECONDS
        if minute != self._minute or len(self._guests) >= MOST_ADDRESSES:
            self._minute, self._guests = minute, {}
        place = hash((packed[:HALF_OF_IPV6], info_hash))
        guests = self._guests[place] = self._guests.get(place, 0) + 1
        return guests > self._guests_per_minute
