"""Settle one fact against the stored state of its session.

Clients report absolute counters. A fact is worth the difference from the session's base; each counter is handled
separately, and one that falls (a client restarted, libtorrent's ``downloaded`` after completion) becomes the new base
with no credit. Nothing here depends on the event ``started``.
"""

from typing import NamedTuple

from etracker_scoring.worker.records import Session
from etracker_scoring.worker.sums import capped
from etracker_shared.agreements.facts import UNKNOWN_LEFT, Event, Fact

SILENCE = 1.5
"""Intervals of silence after which only :data:`SILENT_SHARE` of one interval is credited as seeding."""

SILENT_SHARE = 0.5


class Settlement(NamedTuple):
    """A session after a fact, and what the fact was worth.

    ``uploaded`` and ``downloaded``: deltas in bytes. ``seeded_from``: Unix seconds at which the seeding
    time that this fact proves began (it ends with the fact), None if it proves none.
    """

    session: Session
    uploaded: int
    downloaded: int
    seeded_from: int | None


def settle(session: Session | None, fact: Fact) -> Settlement | None:
    """Settle a fact; None if it is older than the session, or of the same millisecond with lower counters."""
    if session is None:
        return Settlement(_begin(fact), 0, 0, None)
    if _is_stale(session, fact):
        return None
    base = session if is_hollow(fact) else fact
    uploaded = max(0, base.uploaded - session.uploaded)
    downloaded = max(0, base.downloaded - session.downloaded)
    seconds = _seeding_seconds(session, fact)
    settled = Session(
        session.row,
        session.first_seen_ms,
        fact.at_ms,
        base.uploaded,
        base.downloaded,
        session.left if base.left == UNKNOWN_LEFT else base.left,
        base.corrupt,
        base.redundant,
        fact.event,
        capped(session.uploaded_credit + uploaded),
        capped(session.downloaded_credit + downloaded),
        session.seeding_seconds + seconds,
        session.snatched,
    )
    return Settlement(settled, uploaded, downloaded, fact.at_ms // 1000 - seconds if seconds else None)


def is_hollow(fact: Fact) -> bool:
    """Return whether a ``stopped`` carries no counters: webtorrent sends zeros, whatever it announced before.

    If zeros became the base, everything would be credited again when the same instance goes on.
    """
    return fact.event == Event.STOPPED and fact.uploaded == 0 and fact.downloaded == 0


def _begin(fact: Fact) -> Session:
    left = UNKNOWN_LEFT if is_hollow(fact) else fact.left
    counters = (fact.uploaded, fact.downloaded, left, fact.corrupt, fact.redundant)
    return Session(None, fact.at_ms, fact.at_ms, *counters, fact.event)


def _is_stale(session: Session, fact: Fact) -> bool:
    """Of two facts of one millisecond the higher counters win, so that a replay changes nothing."""
    if fact.at_ms != session.last_seen_ms:
        return fact.at_ms < session.last_seen_ms
    return fact.uploaded < session.uploaded or fact.downloaded < session.downloaded


def _seeding_seconds(session: Session, fact: Fact) -> int:
    """Whole seconds, counted between full seconds so that many short steps lose nothing."""
    if fact.left != 0 or session.left != 0 or session.event == Event.STOPPED:
        return 0
    seconds = fact.at_ms // 1000 - session.last_seen_ms // 1000
    if seconds <= SILENCE * fact.interval_seconds:
        return seconds
    return int(SILENT_SHARE * fact.interval_seconds)
