"""The tracker's answers, independent of the protocol."""

import enum
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


class MessageKind(enum.StrEnum):
    """What offenders (by verdict) and recipients of a waster are told. Front ends have the texts."""

    STATISTICS = "statistics"
    HIDDEN_DOWNLOAD = "hidden_download"
    WASTE = "waste"
    BLOCK_PEER = "block_peer"


class Message(NamedTuple):
    """For recipients: ``endpoint`` is the waster's (6 or 18 bytes), ``token`` names their own block list."""

    kind: MessageKind
    endpoint: bytes = b""
    token: str = ""


class AnnounceAnswer(NamedTuple):
    """``snatches``: Redis' count, or Postgres' if Redis has none. ``notice``: a text for the user, or None.

    ``message`` takes the place of the notice.
    """

    counts: Counts
    snatches: int
    interval_seconds: int
    min_interval_seconds: int
    peers: Peers
    notice: str | None
    message: Message | None = None


class ScrapeAnswer(NamedTuple):
    """``torrents``: counts and snatches of each torrent that is tracked."""

    torrents: Mapping[InfoHash, tuple[Counts, int]]
    min_interval_seconds: int


class Refusal(NamedTuple):
    """The request isn't served. ``interval_seconds``: when the client should try again.

    ``message``: gives the reason. ``retry_minutes``: the same as the interval, for other clients (BEP 31).
    """

    reason: Reason
    interval_seconds: int
    min_interval_seconds: int
    message: Message | None = None
    retry_minutes: int | None = None
