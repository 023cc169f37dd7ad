"""Why a request is refused.

RefusalError           has one of a bounded set of reasons, which become metric labels
├── MalformedError     a front end can't understand the request
├── NotAllowedError    this key or this torrent isn't served here
└── NotReadyError      the tracker is still starting
"""

import enum


class Reason(enum.StrEnum):
    """Every reason for which a request is refused. Front ends have the texts."""

    NO_PARAMETERS = "no_parameters"
    MISPLACED = "misplaced"
    TOO_LONG = "too_long"
    INFO_HASH = "info_hash"
    SEVERAL_INFO_HASHES = "several_info_hashes"
    PEER_ID = "peer_id"
    PORT = "port"
    SCRAPE_OF_EVERYTHING = "scrape_of_everything"
    INVALID_KEY = "invalid_key"
    UNREGISTERED_TORRENT = "unregistered_torrent"
    TOO_MANY_NEW_TORRENTS = "too_many_new_torrents"
    BANNED_NETWORK = "banned_network"
    BANNED_CLIENT = "banned_client"
    BANNED_TORRENT = "banned_torrent"
    WASTES_BANDWIDTH = "wastes_bandwidth"
    BLOCK_PEER = "block_peer"
    SWARMS_UNAVAILABLE = "swarms_unavailable"
    SWARMS_FULL = "swarms_full"
    ALLOWLIST_UNAVAILABLE = "allowlist_unavailable"
    STARTING = "starting"
    INTERNAL = "internal"


TEMPORARY = frozenset(
    {Reason.SWARMS_UNAVAILABLE, Reason.SWARMS_FULL, Reason.ALLOWLIST_UNAVAILABLE, Reason.STARTING, Reason.INTERNAL}
)
"""Temporary reasons that aren't the client's fault: it should try again soon."""


class RefusalError(Exception):
    """The request is refused for ``reason``."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class MalformedError(RefusalError):
    """A front end can't understand the request."""


class NotAllowedError(RefusalError):
    """The key, the network, the client or the torrent isn't served here."""


class NotReadyError(RefusalError):
    """The tracker is still starting."""
