"""Why a request gets a failure instead of an answer.

RefusalError           a bencoded failure; its reason is one of Reason, and so a metric label
├── MalformedError     the request can't be understood
├── NotAllowedError    understood, but this key or this torrent isn't served here
└── TryAgainError      something behind us doesn't answer: not the client's fault
"""

import enum


class Reason(enum.StrEnum):
    """Every reason a BitTorrent client can be given; :mod:`~etracker_announce.domain.texts` has the words."""

    NO_PARAMETERS = "no_parameters"
    TOO_LONG = "too_long"
    INFO_HASH = "info_hash"
    SEVERAL_INFO_HASHES = "several_info_hashes"
    PEER_ID = "peer_id"
    PORT = "port"
    SCRAPE_OF_EVERYTHING = "scrape_of_everything"
    INVALID_KEY = "invalid_key"
    UNREGISTERED_TORRENT = "unregistered_torrent"
    TOO_MANY_NEW_TORRENTS = "too_many_new_torrents"
    SWARMS_UNAVAILABLE = "swarms_unavailable"
    SWARMS_FULL = "swarms_full"
    ALLOWLIST_UNAVAILABLE = "allowlist_unavailable"
    STARTING = "starting"
    INTERNAL = "internal"


class RefusalError(Exception):
    """The client gets a failure for ``reason``."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class MalformedError(RefusalError):
    """The request can't be understood."""


class NotAllowedError(RefusalError):
    """The key or the torrent isn't served here."""


class TryAgainError(RefusalError):
    """Something behind the tracker doesn't answer; the client should come back soon."""
