"""Settle one fact against the stored state of its session.

Clients report absolute counters. A fact is worth the difference from the session's base; each counter is handled
separately. :mod:`etracker_scoring.worker.bases` explains which base a report continues. Nothing here depends on the
event ``started``.
"""

from typing import NamedTuple

from etracker_scoring.worker.attendance import attended, first_block
from etracker_scoring.worker.bases import Base, compare, find_former, pack_bases, place_of, unpack_bases
from etracker_scoring.worker.plausibility import NO_LIMITS, SMALL_TORRENT_BYTES, Limits, most_downloaded, most_uploaded
from etracker_scoring.worker.records import Session, Torrent
from etracker_scoring.worker.sums import capped
from etracker_shared.agreements.facts import UNKNOWN, Event, Fact

SILENCE = 1.5
"""Intervals of silence after which only :data:`SILENT_SHARE` of one interval is credited as seeding."""

SILENT_SHARE = 0.5

_UNKNOWN_TORRENT = Torrent(0, None)


class Settlement(NamedTuple):
    """A session after a fact, and what the fact was worth.

    ``uploaded`` and ``downloaded``: deltas in bytes. ``seeded_from``: start of the seeding that the fact proves (Unix
    seconds); the fact is its end; None if it proves none. ``implausible``: it claimed more than a client can have
    transferred, and only the possible part was credited. ``replaced``: the session that this one continues, in its
    new state.
    """

    session: Session
    uploaded: int
    downloaded: int
    seeded_from: int | None
    implausible: bool = False
    replaced: Session | None = None


def settle(
    session: Session | None,
    fact: Fact,
    predecessor: Session | None = None,
    torrent: Torrent = _UNKNOWN_TORRENT,
    limits: Limits = NO_LIMITS,
    *,
    place: int | None = None,
) -> Settlement | None:
    """Settle a fact; return None if it is older than the session, or as old with a lower counter.

    ``predecessor``: for a new session, the previous one at the same place, if there was one. ``place``: the fact's, if
    the caller knows it.
    """
    if session is None:
        if predecessor is not None and predecessor.last_seen_ms <= fact.at_ms and not is_hollow(fact):
            return _bounded(_succeed(predecessor, fact), predecessor, torrent, limits)
        return Settlement(_begin(fact), 0, 0, None)
    if _is_stale(session, fact):
        return None
    place = (place_of(fact) if place is None else place) or session.place
    if place == session.place and session.others is None and _is_usual(session, fact):
        return _bounded(_go_on(session, fact), session, torrent, limits)
    return _bounded(_go_on_among_others(session, fact, place), session, torrent, limits)


def _is_usual(session: Session, fact: Fact) -> bool:
    """Return whether both counters are known and none fell; nearly all facts are like that."""
    return (
        fact.uploaded >= session.uploaded >= 0
        and fact.downloaded >= session.downloaded >= 0
        and fact.event != Event.STOPPED
    )


def is_hollow(fact: Fact) -> bool:
    """Return whether a ``stopped`` carries no counters: webtorrent sends zeros, whatever it announced before.

    If zeros became the base, everything would be credited again when the same instance continues.
    """
    return fact.event == Event.STOPPED and fact.uploaded <= 0 and fact.downloaded <= 0


def _begin(fact: Fact) -> Session:
    left = UNKNOWN if is_hollow(fact) else fact.left
    counters = (fact.uploaded, fact.downloaded, left, fact.corrupt, fact.redundant)
    present, seeded = first_block(left)
    return Session(
        None,
        fact.at_ms,
        fact.at_ms,
        *counters,
        fact.event,
        place=place_of(fact),
        most_left=left,
        present=present,
        seeded=seeded,
    )


def _succeed(before: Session, fact: Fact) -> Settlement:
    """Begin a session at the place of another peer_id of the same client: counters that continue are credited."""
    uploaded, downloaded = _rise(before.uploaded, fact.uploaded), _rise(before.downloaded, fact.downloaded)
    seconds = _seeding_seconds(before, fact)
    session = _begin(fact)._replace(
        first_seen_ms=before.first_seen_ms,
        uploaded_credit=uploaded,
        downloaded_credit=downloaded,
        seeding_seconds=seconds,
        snatched=before.snatched,
        most_left=_most_left(before, fact.left),
        taken=before.taken,
    )
    replaced = before._replace(
        uploaded=before.uploaded + uploaded, downloaded=before.downloaded + downloaded, snatched=before.snatched
    )
    return Settlement(session, uploaded, downloaded, _seeded_from(fact, seconds), replaced=replaced)


def _go_on(session: Session, fact: Fact) -> Settlement:
    """Settle a fact from the only place of its session, with no fallen counter. Creates no object except the result."""
    uploaded, downloaded = fact.uploaded - session.uploaded, fact.downloaded - session.downloaded
    seconds = _seeding_seconds(session, fact)
    left = session.left if fact.left == UNKNOWN else fact.left
    most_left = session.most_left
    after = Session(
        session.row,
        session.first_seen_ms,
        fact.at_ms,
        fact.uploaded,
        fact.downloaded,
        left,
        session.corrupt if fact.corrupt == UNKNOWN else fact.corrupt,
        session.redundant if fact.redundant == UNKNOWN else fact.redundant,
        fact.event,
        capped(session.uploaded_credit + uploaded),
        capped(session.downloaded_credit + downloaded),
        session.seeding_seconds + seconds,
        session.snatched,
        session.place,
        None,
        _most_left(session, left) if most_left < left or most_left == UNKNOWN else most_left,
        session.taken,
        *attended(session, fact.at_ms, left),
    )
    return Settlement(after, uploaded, downloaded, fact.at_ms // 1000 - seconds if seconds else None)


def _go_on_among_others(session: Session, fact: Fact, place: int) -> Settlement:
    """Settle a fact of a session that announced from several places, or whose counters fell."""
    bases = unpack_bases(session.others)
    at = fact.at_ms // 1000
    bases.append(Base(session.place, session.uploaded, session.downloaded, session.last_seen_ms // 1000))
    report = Base(place, fact.uploaded, fact.downloaded, at)
    if is_hollow(fact):
        report = report._replace(uploaded=UNKNOWN, downloaded=UNKNOWN)
    elif fact.event == Event.STOPPED and (former := find_former(bases, report)):
        return _stop_late(session, fact, former)
    *others, own = (compared := compare(bases, report)).bases
    credits_ = (compared.uploaded, compared.downloaded)
    return _moved(session, fact, own, credits_, pack_bases(others))


def _stop_late(session: Session, fact: Fact, former: Base) -> Settlement:
    """Credit the last report of a client that has been restarted since; the session doesn't change."""
    uploaded, downloaded = fact.uploaded - former.uploaded, fact.downloaded - former.downloaded
    bases = [
        base._replace(uploaded=fact.uploaded, downloaded=fact.downloaded) if base == former else base
        for base in unpack_bases(session.others)
    ]
    present, seeded = attended(session, fact.at_ms, session.left)
    after = session._replace(
        last_seen_ms=fact.at_ms,
        present=present,
        seeded=seeded,
        others=pack_bases(bases),
        uploaded_credit=capped(session.uploaded_credit + uploaded),
        downloaded_credit=capped(session.downloaded_credit + downloaded),
    )
    return Settlement(after, uploaded, downloaded, None)


def _moved(session: Session, fact: Fact, own: Base, credits_: tuple[int, int], others: bytes | None) -> Settlement:
    hollow = is_hollow(fact)
    seconds = _seeding_seconds(session, fact)
    left = session.left if hollow or fact.left == UNKNOWN else fact.left
    after = Session(
        session.row,
        session.first_seen_ms,
        fact.at_ms,
        own.uploaded,
        own.downloaded,
        left,
        session.corrupt if hollow or fact.corrupt == UNKNOWN else fact.corrupt,
        session.redundant if hollow or fact.redundant == UNKNOWN else fact.redundant,
        fact.event,
        capped(session.uploaded_credit + credits_[0]),
        capped(session.downloaded_credit + credits_[1]),
        session.seeding_seconds + seconds,
        session.snatched,
        own.place,
        others,
        _most_left(session, left),
        session.taken,
        *attended(session, fact.at_ms, left),
    )
    return Settlement(after, *credits_, _seeded_from(fact, seconds))


def _bounded(settlement: Settlement, before: Session, torrent: Torrent, limits: Limits) -> Settlement:
    """Credit no more than the client can have transferred since its last report, and since its first."""
    session, uploaded, downloaded = settlement[:3]
    if max(uploaded, downloaded) <= SMALL_TORRENT_BYTES and _is_young(session, limits):
        return settlement
    of_line = limits.over((session.last_seen_ms - before.last_seen_ms) // 1000)
    of_session = limits.over((session.last_seen_ms - session.first_seen_ms) // 1000)
    up = _least(
        uploaded,
        of_line,
        of_session - session.uploaded_credit + uploaded,
        most_uploaded(torrent.length, torrent.peers),
    )
    down = _least(
        downloaded,
        of_line,
        of_session - session.downloaded_credit + downloaded,
        most_downloaded(torrent.length),
    )
    if (up, down) == (uploaded, downloaded):
        return settlement
    session = session._replace(
        uploaded_credit=session.uploaded_credit - uploaded + up,
        downloaded_credit=session.downloaded_credit - downloaded + down,
    )
    return settlement._replace(session=session, uploaded=up, downloaded=down, implausible=True)


def _is_young(session: Session, limits: Limits) -> bool:
    """Return whether a session's credit is so small that it is believed however little time has passed."""
    return max(session.uploaded_credit, session.downloaded_credit) <= limits.at_once


def _least(claimed: int, of_line: int, of_session: int, of_torrent: int | None) -> int:
    least = min(claimed, of_line, of_session)
    return max(0, least if of_torrent is None else min(least, of_torrent))


def _most_left(session: Session, left: int) -> int:
    """Return the most that a client instance ever reported as left; 0 for one that began with everything."""
    return session.most_left and max(session.most_left, session.left, left)


def _rise(before: int, now: int) -> int:
    """Return by how much a counter rose; 0 if it fell or either value isn't known."""
    return now - before if now > before >= 0 else 0


def _is_stale(session: Session, fact: Fact) -> bool:
    """Return whether a fact is outdated. In one millisecond, higher counters win, so that a replay changes nothing."""
    if fact.at_ms != session.last_seen_ms:
        return fact.at_ms < session.last_seen_ms
    return fact.uploaded < session.uploaded or fact.downloaded < session.downloaded


def _seeding_seconds(session: Session, fact: Fact) -> int:
    """Return the whole seconds of seeding, counted between full seconds so that many short steps lose nothing."""
    if fact.left != 0 or session.left != 0 or session.event == Event.STOPPED:
        return 0
    return _seconds_between(session, fact)


def partial_seed_since(session: Session | None, fact: Fact) -> int | None:
    """Return since when a client has announced that it seeds the part it wants (BEP 21), None if it doesn't."""
    if session is None or (session.event, fact.event) != (Event.PAUSED, Event.PAUSED) or fact.left <= 0:
        return None
    return _seeded_from(fact, _seconds_between(session, fact))


def is_silent(session: Session, fact: Fact) -> bool:
    """Return whether a session has stopped, or had been silent for too long when a fact arrived from another one."""
    silence_ms = fact.at_ms - session.last_seen_ms
    return session.event == Event.STOPPED or silence_ms > SILENCE * fact.interval_seconds * 1000


def _seconds_between(session: Session, fact: Fact) -> int:
    seconds = fact.at_ms // 1000 - session.last_seen_ms // 1000
    if seconds <= SILENCE * fact.interval_seconds:
        return seconds
    return int(SILENT_SHARE * fact.interval_seconds)


def _seeded_from(fact: Fact, seconds: int) -> int | None:
    return fact.at_ms // 1000 - seconds if seconds else None
