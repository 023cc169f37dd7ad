"""E signals: a session that repeats its events, or announces far too often."""

from etracker_scoring.detection.records import Evidence
from etracker_scoring.detection.remembered import SessionSignals
from etracker_scoring.detection.signal_parameters import SignalParameters
from etracker_scoring.detection.steps import Step
from etracker_shared.agreements.anomalies import Kind
from etracker_shared.agreements.facts import Event

_HOUR = 3600
_LONGER = 1.15
_PLACES = 2**32
PAUSE_MS = 900_000
"""After a pause like that, announces are counted again from the beginning: most sessions are soon forgotten."""


def follow_events(
    session: SessionSignals, step: Step, parameters: SignalParameters, found: list[Evidence]
) -> SessionSignals:
    """E:started, E:completed: events that come again although nothing began or ended."""
    event, place = step.now.event, step.observation.place % _PLACES
    if event not in {Event.STARTED, Event.COMPLETED} or step.elapsed_ms > parameters.longest_step_hours * 3_600_000:
        return session
    if session.event_place not in {0, place} and step.at - session.event_at < _HOUR:
        return session  # a client with two addresses announces each event from both
    if event == step.before.event:
        if step.elapsed_ms < parameters.event_repeat_seconds * 1000:
            return session
        if _is_unchanged(step):
            before, session = session, session._replace(event_gap=step.elapsed_ms // 1000)
            if _is_retry(before, step, parameters):
                return session
    count = _count_started if event == Event.STARTED else _count_completed
    counted = count(session, step, parameters, found)
    return session if counted is session else counted._replace(event_at=step.at, event_place=place)


def _is_unchanged(step: Step) -> bool:
    now, before = step.now, step.before
    return (now.uploaded, now.downloaded, now.left) == (before.uploaded, before.downloaded, before.left)


def _is_retry(session: SessionSignals, step: Step, parameters: SignalParameters) -> bool:
    """Return whether an event with the same counters is a request that is sent again because it wasn't answered.

    Most clients do so after ever longer pauses; aria2 always after 2 minutes.
    """
    has_waited_longer = step.elapsed_ms > _LONGER * session.event_gap * 1000
    return has_waited_longer or step.at - session.event_at < parameters.event_retry_seconds


def _count_started(
    session: SessionSignals, step: Step, parameters: SignalParameters, found: list[Evidence]
) -> SessionSignals:
    """Count a ``started`` unless the client had stopped or begun again from zero."""
    if step.fell or step.before.event == Event.STOPPED:
        return session
    number = max(session.started, 1) + 1  # the first one began the session
    if number >= parameters.events_least:
        text = f"Sent started {number - 1} times in the middle of a session, without a restart."
        found.append(step.evidence(Kind.STARTED, parameters.event_points, text, times=number - 1))
    return session._replace(started=number)


def _count_completed(
    session: SessionSignals, step: Step, parameters: SignalParameters, found: list[Evidence]
) -> SessionSignals:
    """Count a ``completed`` unless it ends a download, or follows the start of a client or a check."""
    begins = step.before.event == Event.STARTED and session.started < parameters.events_least
    if step.before.left > step.now.left == 0 or begins:
        return session
    number = max(session.completed, 1) + 1
    if number >= parameters.events_least:
        text = f"Sent completed {number - 1} times in one session without having completed a download."
        found.append(step.evidence(Kind.COMPLETED, parameters.event_points, text, times=number - 1))
    return session._replace(completed=number)


def follow_flood(
    session: SessionSignals, step: Step, parameters: SignalParameters, found: list[Evidence]
) -> SessionSignals:
    """E:flood: many announces of a session in an hour."""
    seen = step.observation
    if not seen.same_place:
        return session
    # Quiet announces aren't followed (says_something), so the pause may have been before the last one.
    has_paused = step.elapsed_ms >= PAUSE_MS and not seen.suppressed
    had_paused = step.before.at_ms // 1000 - session.at >= PAUSE_MS // 1000
    is_over = step.at - session.hour >= _HOUR or has_paused or had_paused
    if not session.hour or is_over:
        return _begin_hour(session, step, parameters)
    announces = session.announces + 1 + seen.suppressed
    if session.announces < parameters.flood_announces <= announces:
        minutes = (step.at - session.hour) / 60
        text = f"Announced {announces} times within {minutes:.0f} minutes."
        data = {"announces": announces, "minutes": round(minutes, 1)}
        found.append(step.evidence(Kind.FLOOD, parameters.flood_points, text, **data))
    return session._replace(announces=announces)


def _begin_hour(session: SessionSignals, step: Step, parameters: SignalParameters) -> SessionSignals:
    """Begin to count when announces are so close that the hour might have too many."""
    is_close = step.elapsed_ms * parameters.flood_announces < _HOUR * 1000
    if is_close or (step.observation.suppressed and step.elapsed_ms < _HOUR * 1000):
        return session._replace(hour=step.at, announces=1)
    return session._replace(hour=0, announces=0) if session.hour else session
