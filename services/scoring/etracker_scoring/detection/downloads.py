"""P signals over all sessions of a key or guest in a torrent: it downloads the same data again."""

from etracker_scoring.detection.records import Evidence
from etracker_scoring.detection.remembered import SessionSignals, Signals
from etracker_scoring.detection.signal_parameters import SignalParameters
from etracker_scoring.detection.steps import MIB, Step, amount
from etracker_shared.agreements.anomalies import Kind
from etracker_shared.agreements.facts import Event

_GRACE_SECONDS = 300
_COUNT_CHECKED_DATA = (b"-WW", b"-WD")
"""Webtorrent: at every start, it counts the data that it finds on the disk as downloaded."""


def follow_excess(signals: Signals, step: Step, parameters: SignalParameters, found: list[Evidence]) -> Signals:
    """P:redownload: it downloads more than left falls by."""
    dropped, size = step.dropped, step.size
    if dropped is None or not step.proves:
        return signals
    excess = signals.excess
    if excess and step.now.event == Event.COMPLETED and step.before.left == step.now.left == 0:
        excess = max(0, excess - size)
    noise = max(parameters.excess_noise_share * size, parameters.gap_step_pieces * step.piece)
    if dropped < -noise:  # it lost data, or wants more of the torrent
        return signals
    added = step.received - abs(dropped)
    if added < noise and not excess:
        return signals if not signals.excess else signals._replace(excess=0)
    failed = step.received - step.observation.downloaded  # no client is known that corrects these counters
    most = failed + max(parameters.excess_step_share * size, parameters.excess_step_mib * MIB)
    excess = max(0, excess + min(added, int(most)))
    if excess == signals.excess:
        return signals
    since = signals.excess_since if signals.excess else step.at
    after = signals._replace(excess=excess, excess_since=since)
    if excess < signals.excess or (step.at - since < _GRACE_SECONDS and failed * 2 < added):
        return after  # the counter may have been corrected at once, or left may follow
    return _judge_excess(after, step, parameters, found)


def _judge_excess(signals: Signals, step: Step, parameters: SignalParameters, found: list[Evidence]) -> Signals:
    excess, counted, size = signals.excess, signals.excess_counted, step.size
    least = max(parameters.excess_share * size, parameters.excess_least_mib * MIB)
    if excess <= max(least, counted):
        return signals
    points = parameters.excess_size_points * (excess - max(least, counted)) / size
    if not counted:
        points += parameters.excess_points
    elif points < parameters.excess_level_points:
        return signals
    hours = (step.at - signals.excess_since) / 3600
    text = (
        f"{amount(excess)} of what it downloaded brought it no closer to completion, within {hours:.0f} h: "
        f"{excess / size:.1f} times the torrent."
    )
    points = min(points, parameters.excess_cap)
    found.append(step.evidence(Kind.REDOWNLOAD, points, text, excess=excess, size=size, hours=round(hours, 1)))
    return signals._replace(excess_counted=excess)


def follow_cycles(
    signals: Signals, session: SessionSignals, step: Step, parameters: SignalParameters, found: list[Evidence]
) -> tuple[Signals, SessionSignals]:
    """P:cycle: session after session downloads the torrent. Downloads are noted in steps, so as to write rarely."""
    if not step.size or step.observation.peer_id.startswith(_COUNT_CHECKED_DATA):
        return signals, session
    if step.fell:
        is_restart = session.noted and step.observation.same_place
        return signals, (session._replace(noted=0) if is_restart else session)
    now, before = step.now, step.before
    if step.observation.downloaded != now.downloaded - before.downloaded:
        return signals, session  # a counter that another client shares
    total = now.downloaded + max(0, now.corrupt) + max(0, now.redundant)
    new = total - session.noted
    is_noted = new >= _note_share(signals, session, parameters) * step.size or (now.event == Event.STOPPED and new > 0)
    if not is_noted or not (step.received or session.noted):
        return signals, session
    signals = signals._replace(
        downloaded=signals.downloaded + min(new, step.size),
        downloads=signals.downloads + (not session.noted),
    )
    return _judge_cycles(signals, step, parameters, found), session._replace(noted=total)


def _note_share(signals: Signals, session: SessionSignals, parameters: SignalParameters) -> float:
    """Return the steps in which downloads are noted: that there was one, and then few while it is the only one."""
    is_only = session.noted and signals.downloads <= 1
    return parameters.cycle_only_note_share if is_only else parameters.cycle_note_share


def _judge_cycles(signals: Signals, step: Step, parameters: SignalParameters, found: list[Evidence]) -> Signals:
    repeated = signals.downloaded - signals.excess - parameters.cycle_sizes * step.size
    if repeated <= 0 or signals.downloads < parameters.cycle_sessions:
        return signals
    level = int(repeated / (parameters.cycle_level_sizes * step.size))
    if level <= signals.levels:
        return signals
    text = (
        f"Downloaded {amount(signals.downloaded)} in {signals.downloads} sessions: "
        f"{signals.downloaded / step.size:.1f} times the torrent."
    )
    points = parameters.cycle_points * (level - signals.levels)
    data = {"downloaded": signals.downloaded, "size": step.size, "sessions": signals.downloads}
    found.append(step.evidence(Kind.CYCLE, points, text, **data))
    return signals._replace(levels=level)
