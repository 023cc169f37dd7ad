"""The tracker's answers, independent of the protocol."""

from collections.abc import Mapping
from typing import NamedTuple

from etracker_announce.domain.errors import Reason
from etracker_announce.domain.swarm import Counts, Records
from etracker_shared.language.identity import InfoHash


class Peers(NamedTuple):
    """The chosen peers: those with an IPv4 endpoint, and those with an IPv6 endpoint.

    ``over6`` is None unless the asker is known on IPv6. A peer on both families is in both.
    """

    over4: Records
    over6: Records | None


class AnnounceAnswer(NamedTuple):
    """``snatches``: Redis' count, or Postgres' if Redis has none. ``notice``: a text for the user, or None."""

    counts: Counts
    snatches: int
    interval_seconds: int
    min_interval_seconds: int
    peers: Peers
    notice: str | None


class ScrapeAnswer(NamedTuple):
    """``torrents``: counts and snatches of each torrent that is tracked."""

    torrents: Mapping[InfoHash, tuple[Counts, int]]
    min_interval_seconds: int


class Refusal(NamedTuple):
    """The request isn't served. ``interval_seconds``: when the client should try again."""

    reason: Reason
    interval_seconds: int
    min_interval_seconds: int
