"""What the use cases need of the outside world. Each docstring is the contract adapters keep."""

from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from etracker_admin_api.domain.catalogue import ListedTorrent
from etracker_admin_api.domain.downloads import StoredFile
from etracker_admin_api.domain.history import Reading, TorrentReading, Totals
from etracker_admin_api.domain.keys import KeyPage, KeyQuery, KeyRow
from etracker_admin_api.domain.listing import Page, TorrentDetail, TorrentQuery
from etracker_admin_api.domain.operators import Actor, AuditPage, AuditQuery, Operator, OperatorRow
from etracker_admin_api.domain.swarm_peers import SwarmPart
from etracker_admin_api.domain.system import PostgresState, RedisState, ServiceState, Setting
from etracker_admin_api.domain.torrents import Torrent
from etracker_shared.addresses import Address
from etracker_shared.identity import InfoHash
from etracker_shared.standing import StandingReport


class DatabaseUnavailableError(Exception):
    """Postgres can't be asked: nothing is known to have changed."""


class DatabaseFullError(DatabaseUnavailableError):
    """Postgres' disk is full: what is stored can be read, nothing can be changed."""


class ScoringUnavailableError(Exception):
    """Scoring can't be asked, or can't ask Postgres."""


class LiveCountsUnavailableError(Exception):
    """Redis can't be asked."""


class Catalogue(Protocol):
    """The tracked torrents. A hybrid's two infohashes are one torrent.

    What an actor changes is written to the audit log in the same transaction.

    Every method raises DatabaseUnavailableError within a few seconds when Postgres is down.
    """

    async def add(self, info_hash: InfoHash, name: str, actor: Actor) -> bool:
        """Track an infohash; tell whether it wasn't tracked before."""
        ...

    async def add_many(self, named: Mapping[InfoHash, str], actor: Actor) -> AbstractSet[InfoHash]:
        """Track infohashes; return those that weren't tracked before."""
        ...

    async def rename(self, info_hash: InfoHash, name: str, actor: Actor) -> bool:
        """Give the torrent that has this infohash another name; tell whether there was one."""
        ...

    async def add_torrent(self, torrent: Torrent, actor: Actor) -> bool:
        """Track a torrent by all its infohashes and keep its file; tell whether any was new.

        The row that keeps the statistics is one that exists already, v1's before v2's, else a new one of
        v1. A stored file, name or length is never overwritten.
        """
        ...

    async def remove(self, info_hash: InfoHash, actor: Actor) -> bool:
        """Stop tracking the torrent that has this infohash, with its other infohash; tell whether there was one."""
        ...

    async def count(self) -> int:
        """Count the torrents, exactly."""
        ...

    def stream(self) -> AsyncIterator[Sequence[ListedTorrent]]:
        """Yield all torrents, a bounded number at a time, each batch in a transaction of its own."""
        ...


class StoredFiles(Protocol):
    """The stored torrent files. Raises DatabaseUnavailableError as the catalogue does."""

    async def find(self, info_hash: InfoHash) -> StoredFile | None:
        """Return the torrent that has this infohash, without the file itself."""
        ...

    async def piece(self, stored: StoredFile, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes of a file from ``offset`` on; no connection is held between two pieces.

        Raises:
            FileChangedError: the file was replaced or removed since it was found.
        """
        ...

    async def unchecked(self, stored: StoredFile) -> bytes | None:
        """Return a whole file that nobody has checked yet, None if there is no such file any more."""
        ...

    async def settle(self, stored: StoredFile, unchecked: bytes, stripped: bytes | None) -> None:
        """Replace an unchecked file by its stripped form, or mark it as no torrent (None), unless it has changed."""
        ...


class TorrentParser(Protocol):
    """Parses uploaded torrent files, and strips stored ones, without delaying others. Raises TorrentError."""

    async def parse(self, data: bytes) -> Torrent: ...  # noqa: D102 - said above

    async def strip(self, data: bytes) -> bytes: ...  # noqa: D102 - said above


class DownloadPass(Protocol):
    """Permission for one download: extended while it makes progress, given back at its end."""

    async def extend(self) -> None: ...  # noqa: D102 - said above

    async def give_back(self) -> None: ...  # noqa: D102 - said above


class DownloadLimit(Protocol):
    """How much a key, and an address, may download. While Redis is down each replica counts for itself."""

    async def enter(self, announce_key: str, address: Address | None) -> DownloadPass:
        """Start a download, or raise TooManyDownloadsError; without an address only the key is limited."""
        ...


class TorrentLists(Protocol):
    """The torrents as people look for them. Raises DatabaseUnavailableError as the catalogue does."""

    async def page(self, query: TorrentQuery) -> Page:
        """Return a page; its cost grows neither with the list nor with what matches."""
        ...

    async def find(self, info_hash: InfoHash) -> TorrentDetail | None:
        """Return all that is known of the torrent that has this infohash."""
        ...


class FirstKey(Protocol):
    """The API key of the first operator, who is no row of a table."""

    def hash(self) -> bytes | None:
        """Return the SHA-256 of the key that works now; None if there is none, which turns the restricted API off."""
        ...


class Operators(Protocol):
    """The operators' API keys. Raises DatabaseUnavailableError as the catalogue does."""

    async def find(self, key_hash: bytes) -> Operator | None:
        """Return whose unrevoked API key has this SHA-256."""
        ...

    async def all(self) -> Sequence[OperatorRow]:
        """Return every operator there ever was, in the order in which they came."""
        ...

    async def add(self, name: str, key_hash: bytes, actor: Actor) -> int | None:
        """Add an operator; return the id, or None if the name, or one that looks like it, was ever given."""
        ...

    async def revoke(self, operator_id: int, actor: Actor) -> bool:
        """Revoke an operator's key, once; tell whether there is such an operator."""
        ...


class AuditLog(Protocol):
    """What operators changed, and whose addresses they saw. Raises DatabaseUnavailableError as the catalogue does."""

    async def record_read(self, info_hash: InfoHash, actor: Actor) -> None:
        """Record that an operator reads the peers of a swarm: one row per operator, swarm and hour counts the reads."""
        ...

    async def page(self, query: AuditQuery) -> AuditPage:
        """Return a page, the newest first."""
        ...


class Keys(Protocol):
    """The announce keys. Raises DatabaseUnavailableError as the catalogue does."""

    async def register(self, announce_key: str) -> None:
        """Register a fresh key."""
        ...

    async def is_registered(self, announce_key: str) -> bool:
        """Tell whether a key is registered, and not disabled."""
        ...


class KeyRegister(Protocol):
    """The announce keys as operators manage them. Raises DatabaseUnavailableError as the catalogue does."""

    async def page(self, query: KeyQuery) -> KeyPage:
        """Return a page of the list."""
        ...

    async def find(self, key_id: int) -> KeyRow | None:
        """Return a key by its id."""
        ...

    async def look_up(self, announce_key: str) -> KeyRow | None:
        """Return whose announce key this is."""
        ...

    async def set_disabled(self, key_id: int, actor: Actor, *, disabled: bool) -> KeyRow | None:
        """Disable a key or enable it again; return it as it is then. Announces learn of it within a second."""
        ...

    async def rotate(self, key_id: int, announce_key: str, actor: Actor) -> bool:
        """Replace an announce key by another; history and id stay. Tell whether there was such a key."""
        ...

    async def rotate_own(self, announce_key: str, new_key: str) -> bool:
        """Replace an announce key on behalf of its holder; tell whether it worked until now."""
        ...


class KeyStandings(Protocol):
    """What scoring says of keys."""

    async def find(self, announce_key: str) -> StandingReport | None:
        """Return where a key stands, None if it isn't registered.

        Raises:
            ScoringUnavailableError: within a few seconds.
        """
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


class LiveTotals(NamedTuple):
    """Peers in all swarms, and the swarms that have any."""

    seeders: int
    leechers: int
    swarms: int


class SwarmPeers(Protocol):
    """The peers in the swarms right now."""

    async def part(self, info_hash: InfoHash, limit: int) -> SwarmPart:
        """Return some records of a swarm, ``limit`` at most, and its counts; nothing if there is no swarm.

        Raises:
            LiveCountsUnavailableError: Redis can't be asked.
        """
        ...

    async def key_ids(self, identities: Sequence[bytes]) -> Mapping[bytes, int]:
        """Return the ids of keys by the first 8 bytes of their hashes.

        Raises:
            DatabaseUnavailableError: Postgres can't be asked.
        """
        ...


class History(Protocol):
    """Statistics over time. Raises DatabaseUnavailableError as the catalogue does."""

    async def totals(self) -> Totals:
        """Return the sums over everything settled so far."""
        ...

    async def recent(self) -> tuple[datetime, Totals] | None:
        """Return the sums as they were a minute or two ago, and when; None if nobody took a sample then."""
        ...

    async def take(self, torrents: int, live: LiveTotals, now: datetime) -> bool:
        """Take a sample of the tracker, and let old ones fall to coarser steps; False if another replica did it."""
        ...

    async def take_torrents(self, now: datetime) -> bool:
        """Take a sample of each torrent whose counts changed, once an hour; tell whether this was the moment."""
        ...

    async def tracker(self, step_seconds: int, since: datetime) -> Sequence[Reading]:
        """Return the samples of a step since a moment, and the last one before it, in the order of time."""
        ...

    async def torrent(self, info_hash: InfoHash, since: datetime) -> Sequence[TorrentReading] | None:
        """Return a torrent's samples since a moment, the last one before it, and how it is now; None if unknown."""
        ...


class Services(Protocol):
    """The other services. Nothing here raises: what doesn't answer is told so."""

    @property
    def names(self) -> Sequence[str]:
        """What they are called."""
        ...

    async def state(self, name: str) -> ServiceState:
        """Return how a service is."""
        ...

    async def settings(self, name: str) -> Sequence[Setting]:
        """Return its settings in force; nothing if it doesn't answer."""
        ...


class Stores(Protocol):
    """Postgres and Redis themselves."""

    async def postgres(self) -> PostgresState | None:
        """Return how Postgres is, None if it doesn't answer."""
        ...

    async def redis(self) -> RedisState | None:
        """Return how Redis is, None if it doesn't answer."""
        ...


class AddressLimit(Protocol):
    """How often an address may do something. While Redis is down each replica counts for itself. Never raises."""

    async def take(self, address: Address) -> int:
        """Take one; return 0, or the seconds to wait when the address has used up its share."""
        ...
