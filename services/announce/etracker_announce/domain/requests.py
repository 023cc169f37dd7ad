"""The requests of clients, independent of the protocol."""

import enum
from typing import NamedTuple

from etracker_announce.domain.swarm import Role
from etracker_shared.agreements.facts import UNKNOWN, Event
from etracker_shared.language.identity import InfoHash


class Kind(enum.StrEnum):
    """The kind of a request. ``MISPLACED``: an announce or a scrape at a path that belongs to neither."""

    ANNOUNCE = "announce"
    SCRAPE = "scrape"
    MISPLACED = "misplaced"


class AnnounceRequest(NamedTuple):
    """One announce.

    ``other_info_hash``: what the client may mean if ``info_hash`` isn't tracked; None if the request is unambiguous.
    Counters and ``left``: bytes, or :data:`~etracker_shared.agreements.facts.UNKNOWN`. ``numwant``: None for the
    default.
    ``client_key``: the ``key`` parameter, by which a client is known when its address changes; empty if it sent none.
    ``foreign_user_agent``: the request's User-Agent names another client than its peer_id.
    """

    info_hash: InfoHash
    peer_id: bytes
    port: int
    uploaded: int = UNKNOWN
    downloaded: int = UNKNOWN
    left: int = UNKNOWN
    corrupt: int = UNKNOWN
    redundant: int = UNKNOWN
    event: Event = Event.REGULAR
    numwant: int | None = None
    other_info_hash: InfoHash | None = None
    client_key: bytes = b""
    foreign_user_agent: bool = False

    @property
    def role(self) -> Role:
        """Return the peer's role in the swarm: a peer that has everything it wants seeds (BEP 21)."""
        if self.left == 0:
            return Role.SEEDER
        return Role.PARTIAL_SEED if self.event is Event.PAUSED else Role.LEECHER


class ScrapeRequest(NamedTuple):
    """Infohashes in the order of the request, each with the one it may mean instead (see :class:`AnnounceRequest`)."""

    info_hashes: tuple[tuple[InfoHash, InfoHash | None], ...]
