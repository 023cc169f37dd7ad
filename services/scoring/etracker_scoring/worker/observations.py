"""What the detector is told about a settled fact."""

from etracker_scoring.detection.events import PAUSE_MS
from etracker_scoring.detection.records import Observation, Report
from etracker_scoring.worker.bases import unpack_bases
from etracker_scoring.worker.batch import SettledFact
from etracker_scoring.worker.records import Session
from etracker_scoring.worker.sessions import is_hollow, settle
from etracker_shared.agreements.facts import Event, Fact, FactFlag


def observe(item: SettledFact) -> Observation:
    """Return an announce and the last one of its session, with what it adds before any bound on what is plausible."""
    fact, before = item.fact, item.before
    uploaded, downloaded = item.uploaded, item.downloaded
    last = None
    same_place = False
    if before is not None:
        same_place = item.after.place == before.place
        if fact.uploaded - before.uploaded != uploaded or fact.downloaded - before.downloaded != downloaded:
            uploaded, downloaded = _unbounded(before, fact)
            same_place = same_place or _fell_at_its_place(before, fact, item.after.place)
            if before.others is None:
                uploaded = _since_restart(before.uploaded, fact.uploaded, uploaded)
                downloaded = _since_restart(before.downloaded, fact.downloaded, downloaded)
        last = None if _is_late(item) else _report_of(before)
    return Observation(
        Report(fact.at_ms, fact.uploaded, fact.downloaded, fact.left, fact.corrupt, fact.redundant, fact.event),
        last,
        same_place,
        uploaded,
        downloaded,
        fact.peer_id,
        fact.port,
        fact.prefix,
        fact.flags,
        fact.suppressed,
        item.after.place,
    )


def says_something(item: SettledFact) -> bool:
    """Return whether the detector may learn anything from a fact: most are those of idle seeders.

    What is remembered about a session doesn't change what an ordinary announce without traffic says, unless it follows
    the last one closely: it may be part of a flood.
    """
    fact, before = item.fact, item.before
    if before is None:
        return bool(item.uploaded or item.downloaded or int.__and__(fact.flags, _FOREIGN))
    return not (
        fact.uploaded == before.uploaded
        and fact.downloaded == before.downloaded
        and fact.left == before.left
        and fact.corrupt <= before.corrupt
        and fact.redundant <= before.redundant
        and not fact.event
        and fact.at_ms - before.last_seen_ms >= PAUSE_MS
        and not fact.suppressed
        and not (item.uploaded or item.downloaded)
        and not int.__and__(fact.flags, _FOREIGN)  # an enum's own operator takes as long as all the rest
    )


def _report_of(session: Session) -> Report:
    return Report(
        session.last_seen_ms,
        session.uploaded,
        session.downloaded,
        session.left,
        session.corrupt,
        session.redundant,
        _EVENTS[session.event],
    )


def _unbounded(before: Session, fact: Fact) -> tuple[int, int]:
    settlement = settle(before, fact)
    return (settlement.uploaded, settlement.downloaded) if settlement else (0, 0)


def _since_restart(before: int, now: int, delta: int) -> int:
    """Return what a counter adds: one that fell to less than half began again at 0, in an announce that got lost."""
    return now if -1 < now < before and now * 2 < before else delta


def _fell_at_its_place(before: Session, fact: Fact, place: int) -> bool:
    return any(
        base.place == place and (-1 < fact.uploaded < base.uploaded or -1 < fact.downloaded < base.downloaded)
        for base in unpack_bases(before.others)
        if not base.former
    )


def _is_late(item: SettledFact) -> bool:
    """Return whether the fact is the ``stopped`` of a client that has been restarted since: it says nothing new."""
    return item.fact.event == Event.STOPPED and item.after.event != Event.STOPPED and not is_hollow(item.fact)


_EVENTS = tuple(Event)
_FOREIGN = int(FactFlag.FOREIGN_USER_AGENT)
