"""The most that a client can have transferred: a counter that claims more isn't believed."""

from dataclasses import dataclass
from functools import cached_property

SLACK_SECONDS = 60
"""Clients count before they announce, and clocks differ."""

SMALL_TORRENT_BYTES = 64 * 1024**2
DOWNLOADS_PER_REPORT = 4
"""Times a torrent's size that a client downloads between two reports: what was poisoned or deleted comes again."""

FEWEST_PEERS = 50
PEERS_MARGIN = 4
"""A swarm's peers come and go between two counts of them."""


@dataclass(frozen=True)
class Limits:
    """``bytes_per_second``: what the fastest line of any client carries."""

    bytes_per_second: int = 1_250_000_000

    @cached_property
    def at_once(self) -> int:
        """Return the most bytes that are believed without looking at the time."""
        return self.over(0)

    def over(self, seconds: int) -> int:
        """Return the most bytes that a line carries in some seconds."""
        return self.bytes_per_second * (seconds + SLACK_SECONDS)


NO_LIMITS = Limits(2**63)


def most_uploaded(length: int | None, peers: int) -> int | None:
    """Return what a swarm can have taken from one peer between two of its reports; None if nobody knows."""
    if length is None:
        return None
    return max(length, SMALL_TORRENT_BYTES) * max(FEWEST_PEERS, PEERS_MARGIN * (peers + 1))


def most_downloaded(length: int | None) -> int | None:
    """Return what one peer can have downloaded between two of its reports; None if nobody knows."""
    return None if length is None else max(length, SMALL_TORRENT_BYTES) * DOWNLOADS_PER_REPORT
