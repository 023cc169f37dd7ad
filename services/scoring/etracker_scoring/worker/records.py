"""The stored states of torrents, sessions and memberships.

Named tuples rather than dataclasses: the worker creates several for every fact.
"""

from typing import NamedTuple

from etracker_scoring.scores.formula import NEW_TORRENT, TorrentHistory
from etracker_shared.agreements.facts import UNKNOWN, Event


class Session(NamedTuple):
    """One client instance (key or guest, torrent, peer_id): its base and its credits.

    ``uploaded`` to ``event`` are the base, as last reported; credits are sums of deltas, in bytes.
    ``row``: the id of its row, None until it has one. ``snatched`` is used for guests only: a key's
    snatch belongs to its :class:`Membership`. ``place``: where the last fact came from. ``others``: the packed bases
    of other places (:mod:`etracker_scoring.worker.bases`). ``most_left``: the most it ever reported as left, 0 if it
    began with everything. ``taken``: bytes that it and the sessions it continues downloaded towards a debt.
    ``present``, ``seeded``: bitmaps of the blocks in which it announced, and of those with nothing left. Bit n stands
    for n blocks before that of ``last_seen_ms``, up to bit 63, which is the sign.
    """

    row: int | None
    first_seen_ms: int
    last_seen_ms: int
    uploaded: int
    downloaded: int
    left: int = UNKNOWN
    corrupt: int = 0
    redundant: int = 0
    event: int = Event.REGULAR
    uploaded_credit: int = 0
    downloaded_credit: int = 0
    seeding_seconds: int = 0
    snatched: bool = False
    place: int = 0
    others: bytes | None = None
    most_left: int = UNKNOWN
    taken: int = 0
    present: int = 0
    seeded: int = 0


class Membership(NamedTuple):
    """A key in a torrent, over all its client instances.

    ``leeching``: an announce reported left > 0, and no later one has finished the download. ``taken``: bytes that all
    sessions downloaded towards a debt. ``owed_share``: the part of a snatch's debt that was charged, 0 to 1.
    ``owed_by``: peer_id of the client whose seeding pays it; None if any client's does.
    """

    first_seen_ms: int
    leeching: bool = False
    snatched_ms: int | None = None
    taken: int = 0
    owed_share: float = 0.0
    owed_by: bytes | None = None


class Credit(NamedTuple):
    """What a key's seeding of one torrent is worth to its score.

    ``by``: peer_id of the client instance that is credited. While the same instance keeps seeding,
    ``seeding.credited_until`` isn't updated: the time is in the session's own row.
    """

    seeding: TorrentHistory = NEW_TORRENT
    by: bytes | None = None


class Torrent(NamedTuple):
    """The torrent that keeps the statistics of an infohash.

    ``length`` in bytes, None if unknown. ``peers``: seeders and leechers when they were last counted. ``demand``: as
    stored by :mod:`etracker_scoring.worker.demand`. ``piece_length`` in bytes; ``private``: BEP 27; None if unknown.
    """

    id: int
    length: int | None
    peers: int = 0
    demand: bytes | None = None
    piece_length: int | None = None
    private: bool | None = None


SessionKey = tuple[int | None, int, bytes]
"""Key id (None for a guest), torrent id, and the client instance: a key's peer_id, or a guest's key hash."""

MembershipKey = tuple[int, int]
"""Key id, torrent id."""

Place = tuple[int | None, int, int]
"""Key id (None for a guest), torrent id, and the number of a place (:func:`etracker_scoring.worker.bases.place_of`)."""

PrefixKey = tuple[int, bytes]
"""Torrent id, address prefix (7 bytes)."""

NO_CREDIT = Credit()
