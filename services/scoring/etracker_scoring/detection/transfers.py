"""P signals of a session: uploads that can't have happened, and downloads that it keeps to itself."""

from etracker_scoring.detection.records import Evidence
from etracker_scoring.detection.remembered import SessionSignals, Signals
from etracker_scoring.detection.signal_parameters import SignalParameters
from etracker_scoring.detection.steps import MIB, Step, amount, is_hollow
from etracker_shared.agreements.anomalies import Kind
from etracker_shared.agreements.facts import Event

_NO_METADATA = 16384
_USUAL_STEPS = 5
"""Steps that a session is taken to have had before its upload counter first fell."""

_FORGET_FALLS = 0.05


def check_rate(step: Step, parameters: SignalParameters) -> Evidence | None:
    """P:rate: more was uploaded than a line carries."""
    uploaded = step.observation.uploaded
    if uploaded <= parameters.rate_least_mib * MIB or not step.proves:
        return None
    seconds = max(step.elapsed_ms, 1000) / 1000
    if uploaded / seconds <= parameters.rate_bytes_per_second:
        return None
    text = f"Reported {amount(uploaded)} uploaded within {seconds:.0f} seconds: no line is that fast."
    return step.evidence(Kind.RATE, parameters.rate_points, text, uploaded=uploaded, seconds=seconds)


def follow_falls(
    session: SessionSignals, step: Step, parameters: SignalParameters, found: list[Evidence]
) -> SessionSignals:
    """P:sawtooth: the upload counter falls again and again in a client that wasn't restarted."""
    if not step.observation.same_place:
        return session
    if not _is_fall(step, parameters):
        return _count_step(session, step)
    steps = session.steps + 1 if session.falls else _USUAL_STEPS
    falls = session.falls + 1
    session = session._replace(falls=falls, steps=steps)
    if falls < parameters.falls_least or falls < parameters.falls_share * steps:
        return session
    points = parameters.fall_points * (falls if falls == parameters.falls_least else 1)
    text = (
        f"The upload counter fell from {amount(step.before.uploaded)} to {amount(step.now.uploaded)} "
        f"without a restart, as it did {falls} times in {steps} announces."
    )
    numbers = {"before": step.before.uploaded, "now": step.now.uploaded, "falls": falls, "steps": steps}
    found.append(step.evidence(Kind.SAWTOOTH, points, text, **numbers))
    return session


def _is_fall(step: Step, parameters: SignalParameters) -> bool:
    now, before = step.now, step.before
    return (
        parameters.fall_least_mib * MIB < now.uploaded < before.uploaded
        and now.event != Event.STARTED
        and before.event != Event.STOPPED
        and step.elapsed_ms <= parameters.longest_step_hours * 3_600_000
    )


def _count_step(session: SessionSignals, step: Step) -> SessionSignals:
    if not session.falls or not step.observation.uploaded:
        return session
    steps = session.steps + 1
    if session.falls < _FORGET_FALLS * steps:
        return session._replace(falls=0, steps=0)
    return session._replace(steps=steps)


def follow_gap(
    signals: Signals, session: SessionSignals, step: Step, parameters: SignalParameters, found: list[Evidence]
) -> tuple[Signals, SessionSignals]:
    """P:hidden: left falls without a download."""
    dropped = step.dropped
    if dropped is None or not step.proves:
        return signals, session
    unexplained = dropped - step.received
    least = parameters.gap_step_pieces * step.piece
    if dropped < 0:
        return signals, _lose(session, unexplained, step, least)
    owned = step.size - step.now.left
    if session.owned:  # what it once had, it may find or deselect again without downloading it
        unexplained = min(unexplained, max(0, owned - session.owned))
    is_counted = unexplained > least and unexplained > parameters.gap_step_share * dropped
    if not is_counted and not session.gaps:
        return signals, session
    gap = max(0, session.gap + unexplained)
    if not is_counted:
        return signals, session if gap == session.gap else session._replace(gap=gap)
    session = session._replace(gap=gap, gaps=session.gaps + 1, owned=max(session.owned, owned))
    return _judge_gap(signals, session, step, parameters, found, unexplained=unexplained), session


def _lose(session: SessionSignals, unexplained: int, step: Step, least: float) -> SessionSignals:
    """Note what a client had before it lost some of it or selected more."""
    if -unexplained <= least or step.before.left == _NO_METADATA:
        return session
    owned = max(session.owned, step.size - step.before.left)
    return session._replace(owned=owned, gap=max(0, session.gap + unexplained))


def _judge_gap(
    signals: Signals,
    session: SessionSignals,
    step: Step,
    parameters: SignalParameters,
    found: list[Evidence],
    *,
    unexplained: int,
) -> Signals:
    text = f"What it has left fell by {amount(unexplained)} without a reported download"
    data = {"fell": unexplained, "gap": session.gap, "times": session.gaps}
    # Some clients check their data after each start, and say only then that they have it.
    if session.gaps == 1 or step.before.event == Event.STARTED:
        if session.owned <= signals.checked:
            return signals
        text += ", which also happens when a client finds data that it had already."
        found.append(step.evidence(Kind.HIDDEN_ONCE, parameters.gap_once_points, text, **data))
        return signals._replace(checked=session.owned)
    proven = max(parameters.gap_share * step.size, parameters.gap_pieces * step.piece)
    if session.gap <= proven or session.gap < step.now.downloaded:
        return signals
    text += f", and by {amount(session.gap)} in {session.gaps} announces: {session.gap / step.size:.0%} of the torrent."
    found.append(step.evidence(Kind.HIDDEN, parameters.gap_points, text, **data))
    return signals


def follow_empty_uploads(
    session: SessionSignals, step: Step, parameters: SignalParameters, found: list[Evidence]
) -> SessionSignals:
    """P:nodata: a client that owns nothing uploads."""
    uploaded, size = step.observation.uploaded, step.content.size
    if not size or uploaded <= parameters.nothing_upload_mib * MIB or not step.proves or is_hollow(step.now):
        return session
    least = parameters.nothing_share * size
    if not (least <= step.now.left <= size and least <= step.before.left <= size):
        return session
    times = session.empty_uploads + 1
    if times > 1:
        text = f"Reported {amount(uploaded)} uploaded while all of the torrent was left to download, {times} times."
        found.append(step.evidence(Kind.NO_DATA, parameters.nothing_points, text, uploaded=uploaded, times=times))
    return session._replace(empty_uploads=times)
