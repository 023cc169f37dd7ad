"""What is remembered about keys, torrents, memberships and sessions, as values.

Named tuples rather than dataclasses: the worker makes several for every fact.
"""

from typing import NamedTuple

from etracker_shared.facts import UNKNOWN_LEFT, Event


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

    ``leeching``: an announce said left > 0, and none has finished it since.
    """

    first_seen_ms: int
    leeching: bool = False
    snatched_ms: int | None = None


class Torrent(NamedTuple):
    """The torrent that keeps the statistics of an infohash. ``length`` in bytes, None if unknown."""

    id: int
    length: int | None


class Key(NamedTuple):
    """A registered key. ``seeded_until``: Unix seconds up to which its seeding time is counted."""

    id: int
    seeded_until: int


SessionKey = tuple[int | None, int, bytes]
"""Key id (None for a guest), torrent id, peer_id."""

MembershipKey = tuple[int, int]
"""Key id, torrent id."""
