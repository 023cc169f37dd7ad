"""An announce on its way through the tracker."""

from typing import NamedTuple

from etracker_announce.domain.addresses import Source
from etracker_announce.domain.requests import AnnounceRequest
from etracker_announce.ports import Judgement, Torrent
from etracker_shared.language.identity import InfoHash, KeyHash


class AdmittedAnnounce(NamedTuple):
    """An announce that is allowed, for a torrent that is tracked.

    ``guest``: ``key_hash`` identifies a guest. ``endpoint``: address and port, in network order. ``at``: Unix time.
    """

    request: AnnounceRequest
    source: Source
    key_hash: KeyHash
    guest: bool
    judgement: Judgement
    info_hash: InfoHash
    torrent: Torrent
    endpoint: bytes
    at: float

    @property
    def kept_as(self) -> InfoHash:
        """The infohash under which the torrent's statistics are kept: both halves of a hybrid have the same."""
        return self.torrent.kept_as or self.info_hash
