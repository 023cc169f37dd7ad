"""The most that a client can have transferred: a counter that claims more isn't believed."""

from dataclasses import dataclass
from functools import cached_property

SLACK_SECONDS = 60
"""Clients count before they announce, and clocks differ."""

SMALL_TORRENT_BYTES = 64 * 1024**2
DOWNLOADS_PER_REPORT = 4
"""The most that a client can download between two reports, in torrent sizes: bad or deleted data is fetched again."""

FEWEST_PEERS = 50
PEERS_MARGIN = 4
"""Factor for the peers of the last count: others come and go between two counts."""


@dataclass(frozen=True)
class Limits:
    """``bytes_per_second``: the speed of the fastest connection that a client can have."""

    bytes_per_second: int = 1_250_000_000

    @cached_property
    def at_once(self) -> int:
        """Return the most bytes that are believed however little time has passed."""
        return self.over(0)

    def over(self, seconds: int) -> int:
        """Return the most bytes that a connection can carry in a number of seconds, with some slack."""
        return self.bytes_per_second * (seconds + SLACK_SECONDS)


NO_LIMITS = Limits(2**63)


def most_uploaded(length: int | None, peers: int) -> int | None:
    """Return the most that one peer can have uploaded between two of its reports; None if the size isn't known."""
    if length is None:
        return None
    return max(length, SMALL_TORRENT_BYTES) * max(FEWEST_PEERS, PEERS_MARGIN * (peers + 1))


def most_downloaded(length: int | None) -> int | None:
    """Return the most that one peer can have downloaded between two of its reports; None if the size isn't known."""
    return None if length is None else max(length, SMALL_TORRENT_BYTES) * DOWNLOADS_PER_REPORT
