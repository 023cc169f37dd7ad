"""The tracker's interfaces to the outside world. Each docstring is the contract that adapters keep."""

from collections.abc import Mapping, Sequence
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

        Repeating a step changes nothing. A member is a key and a peer_id, with one record: an announce over IPv4 or
        IPv6 updates the record's endpoint of that address family. A member that joins replaces any peer at its endpoint
        that has the same key or the same peer_id, or is a guest, and takes over its age. Any other peer at this
        endpoint isn't introduced until it announces again. A swarm has at most ``peers_per_key`` members of a key and
        ``peers_per_address`` at an address; a new one replaces the one that has been silent longest. ``stopped``
        removes the member at the endpoint, unless that member joined there after the sender. Expired peers are counted
        until announces in the swarm or the sweeper reach their slots. ``fact`` may be None when regular facts are
        dropped because the stream is beyond its bound.

        Raises:
            SwarmsUnavailableError: not acknowledged; the step may still have happened.
            SwarmsFullError: the same, because Redis is out of memory.
        """
        ...

    async def scrape(self, info_hashes: Sequence[InfoHash]) -> Sequence[Counts]:
        """Return the counts of each swarm, zeros for one that doesn't exist.

        Raises:
            SwarmsUnavailableError: Redis isn't available.
        """
        ...

    @property
    def stream_full(self) -> bool:
        """Whether the fact stream is beyond its bound, so that only completed and stopped facts may be added."""
        ...

    async def admit_new_hash(self, prefix: bytes, limit: int) -> bool:
        """Count a new infohash from an address prefix (7 bytes); False if it had ``limit`` of them this hour already.

        Raises:
            SwarmsUnavailableError: Redis isn't available.
        """
        ...

    async def complaint(self) -> str | None:
        """Return None if Redis answers and accepts writes, otherwise one sentence on what is wrong."""
        ...


class HandOuts(Protocol):
    """Which suspects each client was given, and what it was told; see :mod:`etracker_shared.agreements.block_lists`.

    Recipients and offenders are named by the first 8 bytes of their key hash.
    """

    def note(self, recipient: bytes, fields: Mapping[bytes, bytes]) -> None:
        """Note what a recipient was handed. The note is sent with other announces; while Redis is down it is lost."""
        ...

    def note_key_at(self, name: bytes, identity: bytes, now: int) -> None:
        """Note that a key announces from a suspect's address, in the same way."""
        ...

    async def claim(self, recipient: bytes, mark: bytes, value: bytes, names: Sequence[bytes], now: int) -> bool:
        """Set a mark that a recipient is told something; False if it is set, or many keys use one of the addresses.

        Raises:
            SwarmsUnavailableError: Redis isn't available.
        """
        ...

    async def is_publishable(self, names: Sequence[bytes], now: int) -> bool:
        """Return whether no more than three keys used each of the named addresses within a day.

        Raises:
            SwarmsUnavailableError: Redis isn't available.
        """
        ...

    async def claim_own(self, offender: bytes, since: int, now: int) -> bool:
        """Count a message to an offender about itself; False if it had enough. ``since``: when the verdict was given.

        Raises:
            SwarmsUnavailableError: Redis isn't available.
        """
        ...


class Torrent(NamedTuple):
    """An allowed torrent. ``length``: bytes, or None. ``snatches``: Postgres' count when the torrent was looked up.

    ``kept_as``: the infohash under which the statistics of a hybrid torrent's other half are kept, otherwise None.
    """

    length: int | None
    snatches: int
    kept_as: InfoHash | None = None


class Allowlist(Protocol):
    """Which infohashes are tracked: a bounded cache in front of Postgres, which Postgres notifies of changes."""

    def learn(self, info_hash: InfoHash, snatches: int) -> None:
        """Remember Redis' count of snatches: Redis forgets it with the swarm."""
        ...

    async def find(self, info_hash: InfoHash) -> Torrent | None:
        """Return the torrent, or None if it isn't tracked. Concurrent misses of the cache share one query.

        Raises:
            PostgresUnavailableError: it isn't in the cache and Postgres doesn't answer.
        """
        ...


class Judgement(NamedTuple):
    """A treatment. ``provisional``: a guess, since scoring is down and no earlier treatment of the key is known."""

    treatment: Treatment
    provisional: bool


class Tiers(Protocol):
    """What scoring says about askers: a bounded cache in front of its API; Postgres notifies it of changed keys."""

    async def judge(self, key_hash: KeyHash | None, prefix: bytes = b"") -> Judgement:
        """Return the treatment of a key, or of any guest (None). Concurrent misses of the cache share one request.

        ``prefix``: the address prefix it announces from, by which scoring judges a key that has never announced before.
        While scoring is down: the last known treatment, otherwise a guest's, marked provisional. Never raises.
        """
        ...
