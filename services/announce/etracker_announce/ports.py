"""What the use cases need of the outside world. Each docstring is the contract adapters keep."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from etracker_announce.domain.swarm import Counts, Step, View
from etracker_shared.identity import InfoHash, KeyHash
from etracker_shared.tiers import Standing


class SwarmsUnavailableError(Exception):
    """Redis can't be asked or won't take writes: nothing was acknowledged."""


class SwarmsFullError(SwarmsUnavailableError):
    """Redis is out of memory: peers that are in a swarm may go on, nobody else may join."""


class AllowlistUnavailableError(Exception):
    """Postgres can't be asked about an infohash that no cache holds."""


class Swarms(Protocol):
    """The swarms and the fact stream. Concurrent calls share one round trip."""

    async def announce(self, step: Step, fact: bytes | None) -> View:
        """Take one step in a swarm and put one packed fact into the stream; return when both are acknowledged.

        The same step twice leaves what it left once. A member is a key and a peer_id: each address
        family updates its own endpoint of the same record. At most ``peers_per_key`` members of a key
        are in a swarm; the newest replaces the one longest silent. Expired peers are never counted for
        longer than it takes the swarm's announces and the sweeper to pass their slot.
        ``fact`` may be None when regular facts are dropped (the stream is past its bound).

        Raises:
            SwarmsUnavailableError: nothing was acknowledged (the step may or may not have happened).
            SwarmsFullError: the same, for want of memory.
        """
        ...

    async def scrape(self, info_hashes: Sequence[InfoHash]) -> Sequence[Counts]:
        """Return the counts of each swarm, zeros for one that isn't there.

        Raises:
            SwarmsUnavailableError: Redis can't be asked.
        """
        ...

    @property
    def stream_full(self) -> bool:
        """Whether the fact stream is past its bound, so that only completed and stopped facts go in."""
        ...

    async def admit_new_hash(self, prefix: bytes, limit: int) -> bool:
        """Count a new infohash from an address prefix (7 bytes); False once it had ``limit`` of them this hour.

        Raises:
            SwarmsUnavailableError: Redis can't be asked.
        """
        ...

    async def complaint(self) -> str | None:
        """Return None if Redis answers and takes writes, else one sentence on what is wrong."""
        ...


class Torrent(NamedTuple):
    """An allowed torrent. ``length`` in bytes or None; ``snatches`` as Postgres counted when last asked."""

    length: int | None
    snatches: int


class Allowlist(Protocol):
    """Which infohashes are tracked: a bounded cache in front of Postgres, told of changes."""

    def peek(self, info_hash: InfoHash) -> Torrent | None:
        """Return the torrent if the cache may be trusted that it is tracked, else None: then :meth:`find` it."""
        ...

    def learn(self, info_hash: InfoHash, snatches: int) -> None:
        """Take over how many snatches Redis counted: it forgets them with the swarm."""
        ...

    async def find(self, info_hash: InfoHash) -> Torrent | None:
        """Return the torrent, or None if it isn't tracked. Concurrent misses share one query.

        Raises:
            AllowlistUnavailableError: no cache knows it and Postgres doesn't answer.
        """
        ...


class Judgement(NamedTuple):
    """A standing, and whether scoring really said so just now or before (False: nobody could be asked)."""

    standing: Standing
    provisional: bool


class Tiers(Protocol):
    """What scoring says of an asker: a bounded cache in front of its API, told of changed keys."""

    def peek(self, key_hash: KeyHash | None) -> Judgement | None:
        """Return the standing if the cache may be trusted with it, else None: then :meth:`judge` it."""
        ...

    async def judge(self, key_hash: KeyHash | None, prefix: bytes = b"") -> Judgement:
        """Return the standing of a key, or of any guest (None). Concurrent misses share one request.

        ``prefix``: where it announces from, which decides about a key that never did before.
        While scoring is down: the last known standing, else a guest's, marked provisional. Never raises.
        """
        ...
