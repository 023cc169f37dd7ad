"""Networks, peer_id prefixes and infohashes that operators refuse."""

import enum
from collections.abc import Sequence
from typing import Any, NamedTuple

from etracker_shared.language.identity import InfoHash

PERMANENT = float("inf")
_NEVER = float("-inf")


class BanKind(enum.StrEnum):
    """What a ban refuses."""

    NETWORK = "network"
    CLIENT = "client"
    TORRENT = "torrent"


class Ban(NamedTuple):
    """One ban.

    ``pattern``: the first address of a network (4 or 16 bytes), the start of a peer_id, or an infohash. ``bits``: how
    many bits of the pattern count. ``expires``: when the ban ends, by whichever clock :meth:`Bans.find` is given.
    """

    kind: BanKind
    pattern: bytes
    bits: int
    expires: float = PERMANENT


class Bans:
    """A set of bans, no two of them on the same thing.

    Networks and prefixes are grouped by length, so a lookup costs one dictionary access per length in use, however
    many bans there are.
    """

    def __init__(self) -> None:
        # Address size in bytes -> number of ignored bits -> the other bits as a number -> when the ban ends.
        self._networks: dict[int, dict[int, dict[int, float]]] = {4: {}, 16: {}}
        self._prefixes: dict[int, dict[bytes, float]] = {}
        self._info_hashes: dict[bytes, float] = {}
        self._counts = dict.fromkeys(BanKind, 0)

    def __bool__(self) -> bool:
        """Whether there are any bans."""
        return any(self._counts.values())

    @property
    def counts(self) -> dict[BanKind, int]:
        """How many bans there are of each kind, including those that have expired since they were added."""
        return dict(self._counts)

    def add(self, ban: Ban) -> bool:
        """Add a ban and replace any on the same thing; return whether there was none."""
        table, key = self._place(ban)
        is_new = key not in table
        table[key] = ban.expires
        self._counts[ban.kind] += is_new
        return is_new

    def remove(self, ban: Ban) -> None:
        """Remove a ban, if it is there."""
        table, key = self._place(ban)
        self._counts[ban.kind] -= table.pop(key, None) is not None
        if not table:
            self._forget_empty_tables(ban)

    def _place(self, ban: Ban) -> tuple[dict[Any, float], int | bytes]:
        if ban.kind is BanKind.TORRENT:
            return self._info_hashes, ban.pattern
        if ban.kind is BanKind.CLIENT:
            return self._prefixes.setdefault(len(ban.pattern), {}), ban.pattern
        unused_bits = 8 * len(ban.pattern) - ban.bits
        tables = self._networks[len(ban.pattern)]
        return tables.setdefault(unused_bits, {}), int.from_bytes(ban.pattern, "big") >> unused_bits

    def _forget_empty_tables(self, ban: Ban) -> None:
        if ban.kind is BanKind.NETWORK:
            self._networks[len(ban.pattern)].pop(8 * len(ban.pattern) - ban.bits)
        elif ban.kind is BanKind.CLIENT:
            self._prefixes.pop(len(ban.pattern))

    def find(
        self, address: bytes, peer_id: bytes, info_hashes: Sequence[InfoHash | None], now: float
    ) -> BanKind | None:
        """Return what is banned about an announce, or None. ``info_hashes``: all those that the request may mean."""
        if self.finds_network(address, now):
            return BanKind.NETWORK
        for length, table in self._prefixes.items():
            prefix = peer_id[:length]
            if prefix in table and table[prefix] > now:
                return BanKind.CLIENT
        if self._info_hashes and any(self.finds_torrent(info_hash, now) for info_hash in info_hashes if info_hash):
            return BanKind.TORRENT
        return None

    def finds_network(self, address: bytes, now: float) -> bool:
        """Return whether an address of 4 or 16 bytes is banned."""
        tables = self._networks[len(address)]
        if not tables:
            return False
        number = int.from_bytes(address, "big")
        for unused_bits, table in tables.items():  # a loop: any() takes twice as long
            network = number >> unused_bits
            if network in table and table[network] > now:
                return True
        return False

    def finds_torrent(self, info_hash: InfoHash, now: float) -> bool:
        """Return whether an infohash is banned."""
        return self._info_hashes.get(info_hash, _NEVER) > now
