"""The tracker's interfaces to the outside world. Each docstring is the contract that adapters keep."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from etracker_announce.domain.swarm import Counts, Step, View
from etracker_shared.agreements.tiers import Treatment
from etracker_shared.language.identity import InfoHash, KeyHash


class SwarmsUnavailableError(Exception):
    """Redis isn't available or won't take writes: nothing was acknowledged."""


class SwarmsFullError(SwarmsUnavailableError):
    """Redis is out of memory: peers that are in a swarm can continue, but nobody else can join."""


class Swarms(Protocol):
    """The swarms and the fact stream. Concurrent calls share one round trip."""

    async def announce(self, step: Step, fact: bytes | None) -> View:
        """Take one step in a swarm and append one packed fact to the stream; return when both are acknowledged.

        Repeating a step changes nothing. A member is a key and a peer_id: each address family updates its own
        endpoint of the same record. A member that joins replaces any peer at its endpoint that has the same key or the
        same peer_id, or is a guest, and takes over its first_seen; any other peer at this endpoint isn't introduced
        until it announces again. A swarm has at most ``peers_per_key`` members of a key and ``peers_per_address`` at
        an address; the newest replaces the one that has been silent longest. ``stopped`` removes the member at its
        endpoint, but not one that joined there after the sender. Expired peers are counted until the swarm's announces
        or the sweeper reach their slot. ``fact`` may be None when regular facts are dropped (the stream is past its
        bound).

        Raises:
            SwarmsUnavailableError: not acknowledged; the step may still have happened.
            SwarmsFullError: the same, because Redis is out of memory.
        """
        ...

    async def scrape(self, info_hashes: Sequence[InfoHash]) -> Sequence[Counts]:
        """Return the counts of each swarm, zeros for one that isn't there.

        Raises:
            SwarmsUnavailableError: Redis isn't available.
        """
        ...

    @property
    def stream_full(self) -> bool:
        """Whether the fact stream is past its bound, so that only completed and stopped facts go in."""
        ...

    async def admit_new_hash(self, prefix: bytes, limit: int) -> bool:
        """Count a new infohash from an address prefix (7 bytes); False once it had ``limit`` of them this hour.

        Raises:
            SwarmsUnavailableError: Redis isn't available.
        """
        ...

    async def complaint(self) -> str | None:
        """Return None if Redis answers and accepts writes, otherwise one sentence on what is wrong."""
        ...


class Torrent(NamedTuple):
    """An allowed torrent. ``length`` in bytes or None; ``snatches`` as Postgres counted when last asked."""

    length: int | None
    snatches: int


class Allowlist(Protocol):
    """Which infohashes are tracked: a bounded cache in front of Postgres, which Postgres notifies of changes."""

    def learn(self, info_hash: InfoHash, snatches: int) -> None:
        """Remember how many snatches Redis counted: it forgets them with the swarm."""
        ...

    async def find(self, info_hash: InfoHash) -> Torrent | None:
        """Return the torrent, or None if it isn't tracked. Concurrent misses of the cache share one query.

        Raises:
            PostgresUnavailableError: it isn't in the cache and Postgres doesn't answer.
        """
        ...


class Judgement(NamedTuple):
    """A treatment. ``provisional``: it is a guess, because scoring never said anything about the key."""

    treatment: Treatment
    provisional: bool


class Tiers(Protocol):
    """What scoring says of an asker: a bounded cache in front of its API, which Postgres notifies of changed keys."""

    async def judge(self, key_hash: KeyHash | None, prefix: bytes = b"") -> Judgement:
        """Return the treatment of a key, or of any guest (None). Concurrent misses of the cache share one request.

        ``prefix``: the address prefix it announces from, which decides about a key that never announced before.
        While scoring is down: the last known treatment, otherwise a guest's, marked provisional. Never raises.
        """
        ...
