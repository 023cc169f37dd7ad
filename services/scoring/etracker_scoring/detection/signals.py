"""Signals in single announces: what a client's own reports say against it.

``follow`` costs about a microsecond for an announce without traffic when nothing is remembered, and writes nothing to
what it is given. When it returns the same object, nothing has changed that would have to be stored.
"""

from etracker_scoring.detection.downloads import follow_cycles, follow_excess
from etracker_scoring.detection.events import follow_events, follow_flood
from etracker_scoring.detection.fingerprints import follow_multiples, follow_rates
from etracker_scoring.detection.records import Content, Evidence, Observation, Report
from etracker_scoring.detection.remembered import (
    MOST_SESSIONS,
    NOTHING,
    SessionSignals,
    Signals,
    pack_signals,
    tag_of,
    unpack_signals,
)
from etracker_scoring.detection.signal_parameters import SignalParameters
from etracker_scoring.detection.steps import Step, step_from
from etracker_scoring.detection.transfers import check_rate, follow_empty_uploads, follow_falls, follow_gap
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, Kind
from etracker_shared.agreements.facts import Event, FactFlag

__all__ = ["Signals", "follow", "pack_signals", "unpack_signals"]

_FOREIGN = int(FactFlag.FOREIGN_USER_AGENT)
_REGULAR = Event.REGULAR
_FORGET_SECONDS = 14 * 86_400
_CLOSE_MS = 240_000
"""Announces further apart than this are no flood."""


def follow(
    signals: Signals | None,
    observation: Observation,
    content: Content,
    info_hash_id: int,
    parameters: SignalParameters,
) -> tuple[Signals | None, list[Evidence]]:
    """Return what has to be remembered after an announce, and what it says against the client.

    Return None for signals if there is nothing to remember.
    """
    before = observation.before
    is_foreign = int.__and__(observation.flags, _FOREIGN)  # an enum's own operator takes as long as all the rest
    if before is None:
        return _begin(signals, observation, info_hash_id, parameters) if is_foreign else (signals, [])
    if not is_foreign and _is_quiet(signals, observation, before):
        return signals, []
    found: list[Evidence] = []
    known = signals or NOTHING
    tag = tag_of(observation.peer_id)
    session = _find(known, tag)
    step = step_from(before, observation, content, info_hash_id, parameters)
    member, after = _follow_transfers(known, session, step, parameters, found)
    after = follow_events(after, step, parameters, found)
    after = follow_flood(after, step, parameters, found)
    if is_foreign:
        after = _check_agent(after, observation, info_hash_id, parameters, found)
    if after is session and member is known:
        return signals, found
    return _remember(member, after, step.at), found


def _is_quiet(signals: Signals | None, observation: Observation, before: Report) -> bool:
    """Return whether an announce is an ordinary one without traffic, about which nothing is remembered."""
    now = observation.now
    return (
        now.event == _REGULAR
        and not observation.uploaded
        and not observation.downloaded
        and now.left == before.left
        and now.uploaded == before.uploaded
        and now.downloaded == before.downloaded
        and now.corrupt <= before.corrupt
        and now.redundant <= before.redundant
        and (now.at_ms - before.at_ms >= _CLOSE_MS or not observation.same_place)
        and not observation.suppressed
        and (signals is None or not _is_counting(signals))
    )


def _is_counting(signals: Signals) -> bool:
    """Return whether an announce without traffic may change what is remembered."""
    return any(session.hour or session.falls for session in signals.sessions)


def _follow_transfers(
    signals: Signals, session: SessionSignals, step: Step, parameters: SignalParameters, found: list[Evidence]
) -> tuple[Signals, SessionSignals]:
    seen = step.observation
    if seen.uploaded:
        impossible = check_rate(step, parameters)
        if impossible:
            found.append(impossible)
        signals, session = follow_multiples(signals, session, step, parameters, found)
        session = follow_empty_uploads(session, step, parameters, found)
        session = follow_rates(session, step, parameters, found)
    if session.falls or step.fell:
        session = follow_falls(session, step, parameters, found)
    if not (step.dropped or step.received or step.fell or step.now.event):
        return signals, session
    signals, session = follow_gap(signals, session, step, parameters, found)
    signals = follow_excess(signals, step, parameters, found)
    return follow_cycles(signals, session, step, parameters, found)


def _begin(
    signals: Signals | None, observation: Observation, info_hash_id: int, parameters: SignalParameters
) -> tuple[Signals | None, list[Evidence]]:
    """Look at the first announce of a session: only its User-Agent can be wrong."""
    found: list[Evidence] = []
    known = signals or NOTHING
    session = _find(known, tag_of(observation.peer_id))
    after = _check_agent(session, observation, info_hash_id, parameters, found)
    if after is session:
        return signals, found
    return _remember(known, after, observation.now.at_ms // 1000), found


def _check_agent(
    session: SessionSignals,
    observation: Observation,
    info_hash_id: int,
    parameters: SignalParameters,
    found: list[Evidence],
) -> SessionSignals:
    """F:ua: the User-Agent names another client than the peer_id, said once a session."""
    if session.agent_seen:
        return session
    at = observation.now.at_ms // 1000
    block = at // BLOCK_SECONDS
    text = "Its User-Agent names another client than its peer_id."
    place = (block, block, observation.peer_id, observation.prefix)
    found.append(Evidence(at, Kind.USER_AGENT, parameters.agent_points, info_hash_id, text, {}, *place))
    return session._replace(agent_seen=1)


def _find(signals: Signals, tag: int) -> SessionSignals:
    for session in signals.sessions:
        if session.tag == tag:
            return session
    return SessionSignals(tag)


def _remember(signals: Signals, session: SessionSignals, at: int) -> Signals | None:
    """Put a session last, and forget what is too old or says nothing."""
    others = [other for other in signals.sessions if other.tag != session.tag and at - other.at < _FORGET_SECONDS]
    if any(session[2:]):
        others.append(session._replace(at=at))
    after = signals._replace(sessions=tuple(others[-MOST_SESSIONS:]))
    return after if after != NOTHING else None
