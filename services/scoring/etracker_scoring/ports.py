"""What the use cases need of the outside world. Each docstring is the contract adapters keep."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from etracker_scoring.domain.ledger import Books, Ledger
from etracker_scoring.domain.newcomers import Neighbour, Welcome
from etracker_scoring.domain.records import Key, Membership, MembershipKey, SessionKey, Torrent
from etracker_scoring.domain.reports import Holder
from etracker_scoring.domain.standings import Account
from etracker_scoring.domain.thresholds import Thresholds
from etracker_shared.counts import SwarmCounts
from etracker_shared.facts import Fact
from etracker_shared.identity import InfoHash, KeyHash


class StandingsUnavailableError(Exception):
    """Postgres can't be asked about a key right now."""


class StreamsUnavailableError(Exception):
    """Redis can't be asked, or won't take writes."""


class AccountsUnavailableError(Exception):
    """Postgres can't be asked, or refuses for a reason that passes: wait, and begin anew."""


class AccountsConflictError(Exception):
    """What was loaded changed before it could be stored: load again. Nothing was stored."""


class AccountsRefusedError(Exception):
    """Postgres refuses these facts and always will. Nothing was stored."""


class Standings(Protocol):
    """What is known of each key."""

    async def find(self, key_hashes: Sequence[KeyHash]) -> Mapping[KeyHash, Account]:
        """Return every key that is registered, with what the policy in force asks about it; one query.

        Raises:
            StandingsUnavailableError: within a tenth of a second.
        """
        ...

    async def find_neighbours(self, prefixes: Sequence[bytes], seen_after: float) -> Sequence[Neighbour]:
        """See :meth:`Accounts.find_neighbours`.

        Raises:
            StandingsUnavailableError: within a tenth of a second.
        """
        ...


class Holders(Protocol):
    """All that is stored about one key, for its holder."""

    async def find(self, key_hash: KeyHash) -> Holder | None:
        """Return what is stored about a key, None if it isn't registered.

        Raises:
            AccountsUnavailableError: within a few seconds.
        """
        ...


class Position(NamedTuple):
    """The id of a stream entry. Ids grow within a stream."""

    milliseconds: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.milliseconds}-{self.sequence}"


START = Position(0, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """A stream entry. ``facts`` is None for poison: an entry that can't be read.

    ``packed``: the facts as bytes, for those who keep raw facts.
    """

    shard: int
    position: Position
    facts: Sequence[Fact] | None
    packed: bytes


@dataclass(frozen=True, slots=True)
class ShardState:
    """``last``: the id given last, :data:`START` if the stream isn't there. ``oldest``: of the entries it holds."""

    entries: int
    oldest: Position | None
    last: Position


class FactStreams(Protocol):
    """The fact stream, in shards."""

    async def read(self, positions: Mapping[int, Position], max_facts: int) -> Sequence[Entry]:
        """Return entries after the positions, each shard's in order, about ``max_facts`` facts at most.

        Every shard with entries gets its turn. Nothing is taken out of the stream.

        Raises:
            StreamsUnavailableError
        """
        ...

    async def trim(self, positions: Mapping[int, Position]) -> None:
        """Delete the entries up to and including the positions.

        Raises:
            StreamsUnavailableError
        """
        ...

    async def inspect(self) -> Mapping[int, ShardState]:
        """Return the state of every shard.

        Raises:
            StreamsUnavailableError
        """
        ...


class Snatches(NamedTuple):
    """How often a torrent was snatched, as one of its infohashes is told."""

    info_hash: InfoHash
    snatches: int


class Accounts(Protocol):
    """The statistics in Postgres. Every method may raise AccountsUnavailableError."""

    async def positions(self) -> dict[int, Position]:
        """Return up to where every shard is accounted for."""
        ...

    async def rewind(self, before: Mapping[int, Position]) -> None:
        """Set shards back to the start of their stream, and tell announce that Redis may have lost counts.

        Raises:
            AccountsConflictError: a position isn't what ``before`` says.
        """
        ...

    async def find_keys(self, key_hashes: Collection[KeyHash]) -> dict[KeyHash, Key]:
        """Return the keys that are registered."""
        ...

    async def find_neighbours(self, prefixes: Collection[bytes], seen_after: float) -> list[Neighbour]:
        """Return the keys that first announced from some prefixes, seen after a moment (Unix seconds).

        Those are left out that neither hold a grace nor can be free-riders.
        """
        ...

    async def find_torrents(self, info_hashes: Collection[InfoHash]) -> dict[InfoHash, Torrent]:
        """Return the torrents that keep the statistics of these infohashes, as far as they are tracked."""
        ...

    async def add_torrents(self, info_hashes: Collection[InfoHash]) -> None:
        """Track infohashes that nobody listed; their name is their hash in hex."""
        ...

    async def load_memberships(self, keys: Collection[MembershipKey]) -> dict[MembershipKey, Membership]:
        """Return the memberships that exist."""
        ...

    async def load_books(
        self,
        sessions: Collection[SessionKey],
        memberships: Mapping[MembershipKey, Membership],
        possible_snatches: Collection[MembershipKey],
        welcome: Welcome,
    ) -> Books:
        """Return the sessions that exist, and what was downloaded in memberships that may end in a snatch."""
        ...

    async def store(
        self,
        ledger: Ledger,
        moved: Mapping[int, tuple[Position, Position]],
        kept: Sequence[tuple[Fact, bytes]],
    ) -> list[Snatches]:
        """Store everything in one transaction, or nothing; ``moved`` are positions before and after.

        ``kept``: raw facts to keep, each with its packed form. Returns the new absolute numbers of snatches of
        every infohash whose torrent was snatched.

        Raises:
            AccountsConflictError: a position isn't where it was, or a row is gone or new.
            AccountsRefusedError: the facts themselves can't be stored.
        """
        ...


class Swarms(Protocol):
    """The swarms' counts in Redis, as far as they are carried into Postgres and back.

    A *mark* is what :meth:`mark` left at a tag (the first byte of an infohash): gone or another one,
    and Redis lost data since.
    """

    async def changed(self, since: float) -> tuple[Mapping[int, int | None], Sequence[InfoHash]]:
        """Return every tag's mark, and the swarms whose counts changed since a moment (Unix seconds).

        Raises:
            StreamsUnavailableError
        """
        ...

    async def existing(self, tag: int) -> Sequence[InfoHash]:
        """Return all swarms of a tag.

        Raises:
            StreamsUnavailableError
        """
        ...

    async def counts(self, info_hashes: Sequence[InfoHash]) -> Sequence[SwarmCounts]:
        """Return the counts of each swarm, zeros for one that isn't there.

        Raises:
            StreamsUnavailableError
        """
        ...

    async def mark(self, moment: int, forget_before: int) -> Mapping[int, int | None]:
        """Mark every tag with a moment, and forget changes before another one; return the marks before.

        Raises:
            StreamsUnavailableError
        """
        ...

    async def publish(self, snatches: Sequence[Snatches]) -> None:
        """Tell the swarms that exist how often they were snatched.

        Raises:
            StreamsUnavailableError
        """
        ...


class Torrents(Protocol):
    """The counts of torrents in Postgres. Every method may raise AccountsUnavailableError."""

    async def counted(self, tag: int) -> Sequence[InfoHash]:
        """Return the infohashes of a tag that are said to have peers."""
        ...

    async def write_counts(self, counts: Mapping[InfoHash, SwarmCounts]) -> None:
        """Write seeders and leechers where they differ; infohashes that aren't tracked are left out."""
        ...

    async def snatches(self, info_hashes: Sequence[InfoHash]) -> Sequence[Snatches]:
        """Return how often torrents were snatched, those that were."""
        ...


class Community(Protocol):
    """What is measured over all keys. Every method may raise AccountsUnavailableError."""

    async def thresholds(self) -> Thresholds | None:
        """Return the thresholds in force, None while nobody moved any."""
        ...

    async def put_thresholds(self, thresholds: Thresholds) -> None:
        """Put thresholds in force for every replica."""
        ...

    async def good_seeding(self, active: timedelta) -> float:
        """Return how many torrents a good seeder seeds, over keys that announced so lately."""
        ...

    async def scores(self, active: timedelta) -> Sequence[float]:
        """Return the scores of keys that announced so lately, as of their last announces."""
        ...


class Archive(Protocol):
    """What grows old. Every method may raise AccountsUnavailableError."""

    async def fold_sessions(self, after: int, last_seen_before: datetime) -> int | None:
        """Fold old sessions among the next few thousand rows into their memberships.

        ``after`` is the row to begin behind. Returns the last row looked at, None after the last one.
        """
        ...

    async def forget_facts(self, before: datetime) -> bool:
        """Delete some raw facts; return whether there may be more."""
        ...
