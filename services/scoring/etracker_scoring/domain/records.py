"""What is remembered about keys, torrents, memberships and sessions, as values.

Named tuples rather than dataclasses: the worker makes several for every fact.
"""

from typing import NamedTuple

from etracker_scoring.domain.score import NEW_KEY, NEW_TORRENT, KeyHistory, TorrentHistory
from etracker_scoring.domain.tier import HeldTier, Origin
from etracker_shared.facts import UNKNOWN_LEFT, Event
from etracker_shared.identity import KeyHash
from etracker_shared.tiers import Tier


class Session(NamedTuple):
    """One client instance (key or guest, torrent, peer_id): its base, and what it was credited.

    ``uploaded`` to ``event`` are the base, as last reported; credits are deltas added up, in bytes.
    ``row``: the id of its row, None while it has none. ``snatched`` is kept for guests only: a key's
    snatch belongs to its :class:`Membership`.
    """

    row: int | None
    first_seen_ms: int
    last_seen_ms: int
    uploaded: int
    downloaded: int
    left: int = UNKNOWN_LEFT
    corrupt: int = 0
    redundant: int = 0
    event: int = Event.REGULAR
    uploaded_credit: int = 0
    downloaded_credit: int = 0
    seeding_seconds: int = 0
    snatched: bool = False


class Membership(NamedTuple):
    """A key in a torrent, whichever client instance announces.

    ``leeching``: an announce said left > 0, and none has finished it since. ``seeding``: what it is worth to the score.
    Its ``credited_until`` is not moved while the same instance goes on seeding, ``credited_by`` (a peer_id): the
    session's own row says up to when that was.
    """

    first_seen_ms: int
    leeching: bool = False
    snatched_ms: int | None = None
    seeding: TorrentHistory = NEW_TORRENT
    credited_by: bytes | None = None


class Torrent(NamedTuple):
    """The torrent that keeps the statistics of an infohash. ``length`` in bytes, None if unknown."""

    id: int
    length: int | None


class Key(NamedTuple):
    """A registered key, as of its last announce. ``untold_ms``: since when a notice waits to be told, if one does."""

    id: int
    key_hash: KeyHash
    history: KeyHistory = NEW_KEY
    held: HeldTier = HeldTier(Tier.LITTLE_HISTORY)
    origin: Origin = Origin()
    untold_ms: int | None = None


SessionKey = tuple[int | None, int, bytes]
"""Key id (None for a guest), torrent id, peer_id."""

MembershipKey = tuple[int, int]
"""Key id, torrent id."""
