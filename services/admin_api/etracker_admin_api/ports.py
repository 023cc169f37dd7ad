"""What the use cases need of the outside world. Each docstring is the contract adapters keep."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from etracker_admin_api.domain.catalogue import ListedTorrent, StoredTorrent
from etracker_admin_api.domain.torrents import Torrent
from etracker_shared.addresses import Address
from etracker_shared.identity import InfoHash


class DatabaseUnavailableError(Exception):
    """Postgres can't be asked: nothing is known to have changed."""


class LiveCountsUnavailableError(Exception):
    """Redis can't be asked."""


class Catalogue(Protocol):
    """The tracked torrents. A hybrid's two infohashes are one torrent.

    Every method raises DatabaseUnavailableError within a few seconds when Postgres is down.
    """

    async def add(self, info_hash: InfoHash, name: str) -> bool:
        """Track an infohash; tell whether it wasn't tracked before."""
        ...

    async def add_torrent(self, torrent: Torrent) -> bool:
        """Track a torrent by all its infohashes and keep its file; tell whether any was new.

        The row that keeps the statistics is one that exists already, v1's before v2's, else a new one of
        v1. A stored file, name or length is never overwritten.
        """
        ...

    async def remove(self, info_hash: InfoHash) -> bool:
        """Stop tracking the torrent that has this infohash, with its other infohash; tell whether there was one."""
        ...

    async def find(self, info_hash: InfoHash) -> StoredTorrent | None:
        """Return the torrent that has this infohash."""
        ...

    async def count(self) -> int:
        """Count the torrents, exactly."""
        ...

    async def page(self, after: int, limit: int) -> Sequence[ListedTorrent]:
        """Return the torrents that follow an id, in the order of ids."""
        ...

    def stream(self) -> AsyncIterator[Sequence[ListedTorrent]]:
        """Yield all torrents, a bounded number at a time, each batch in a transaction of its own."""
        ...


class Keys(Protocol):
    """The announce keys. Raises DatabaseUnavailableError as the catalogue does."""

    async def register(self, announce_key: str) -> None:
        """Register a fresh key."""
        ...

    async def is_registered(self, announce_key: str) -> bool:
        """Tell whether a key is registered."""
        ...


@dataclass(frozen=True, slots=True)
class PruneStep:
    """A bounded step of pruning: how far it came, and how many keys went. ``reached`` is None at the end."""

    reached: int | None
    pruned: int


class PruneSession(Protocol):
    """The right to prune, held by one replica at a time."""

    async def step(self, after: int, idle_months: int) -> PruneStep:
        """Look at the next few thousand keys after an id; delete those created and last used too long ago."""
        ...


class Pruner(Protocol):
    """Deletes abandoned keys with everything that hangs on them; totals of torrents stay."""

    def session(self) -> AbstractAsyncContextManager[PruneSession | None]:
        """Take the right to prune, or None while another replica holds it."""
        ...


class LiveCounts(Protocol):
    """The peers in all swarms right now."""

    async def totals(self) -> tuple[int, int]:
        """Return seeders and leechers of all swarms.

        Raises:
            LiveCountsUnavailableError: Redis can't be asked.
        """
        ...


class KeyLimit(Protocol):
    """How many keys an address may generate."""

    async def take(self, address: Address) -> int:
        """Take one; return 0, or the seconds to wait when the address has used up its share.

        While Redis is down each replica counts for itself. Never raises.
        """
        ...
