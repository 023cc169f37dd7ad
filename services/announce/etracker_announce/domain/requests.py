"""What clients ask of the tracker, in whatever protocol."""

import enum
from typing import NamedTuple

from etracker_announce.domain.swarm import Role
from etracker_shared.agreements.facts import UNKNOWN_LEFT, Event
from etracker_shared.language.identity import InfoHash


class Kind(enum.StrEnum):
    """What a request asks for. ``MISPLACED``: an announce or a scrape at a path that is neither's."""

    ANNOUNCE = "announce"
    SCRAPE = "scrape"
    MISPLACED = "misplaced"


class AnnounceRequest(NamedTuple):
    """One announce.

    ``other_info_hash``: what the infohash may be instead if no such torrent is tracked; None if it is unambiguous.
    ``left``: bytes, or :data:`~etracker_shared.agreements.facts.UNKNOWN_LEFT`. ``numwant``: None for the default.
    """

    info_hash: InfoHash
    peer_id: bytes
    port: int
    uploaded: int = 0
    downloaded: int = 0
    left: int = UNKNOWN_LEFT
    corrupt: int = 0
    redundant: int = 0
    event: Event = Event.REGULAR
    numwant: int | None = None
    other_info_hash: InfoHash | None = None

    @property
    def role(self) -> Role:
        """Return the peer's role in the swarm: a peer that has everything it wants seeds (BEP 21)."""
        if self.left == 0:
            return Role.SEEDER
        return Role.PARTIAL_SEED if self.event is Event.PAUSED else Role.LEECHER


class ScrapeRequest(NamedTuple):
    """Infohashes in the order of the request, each with what it may be instead (see :class:`AnnounceRequest`)."""

    info_hashes: tuple[tuple[InfoHash, InfoHash | None], ...]
