"""What evidence adds up to: points that fade, states, and an operator's decision, which beats them."""

from collections.abc import Sequence

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.points import add_points, fade, kind_of, score_of, verdict_of
from etracker_scoring.detection.records import Evidence, Suspicion
from etracker_shared.agreements.anomalies import AnomalyState, Override, Verdict

_HOUR = 3600
_DAY = 86_400
_FRESH = Suspicion()


def conclude(
    before: Suspicion | None, evidence: Sequence[Evidence], now: int, parameters: DetectionParameters
) -> Suspicion:
    """Return what is concluded at ``now`` (Unix seconds), after more evidence. Without any, only time passes."""
    before = _end_override(before or _FRESH, now)
    now = max(now, before.at)
    if before.override is Override.EXEMPT:
        return _change(before, AnomalyState.OK, now)._replace(verdict=None, score=0.0, points={}, evidence_at=None)
    points = fade(before.points, now - before.at, parameters)
    if before.override is Override.CLEARED:
        points, evidence = _mute(before, points, evidence)
    points = add_points(points, evidence, now, parameters)
    after = before._replace(
        points=points, score=score_of(points, parameters), evidence_at=_latest(before.evidence_at, evidence)
    )
    return _judge(after, now, parameters)


def _latest(before: int | None, evidence: Sequence[Evidence]) -> int | None:
    times = [found.at for found in evidence] + ([] if before is None else [before])
    return max(times, default=None)


def _judge(after: Suspicion, now: int, parameters: DetectionParameters) -> Suspicion:
    if after.override is Override.CONFIRMED:
        decided = after.verdict or verdict_of(after.points, by_operator=True) or Verdict.STATISTICS
        return _change(after, AnomalyState.CONFIRMED, now)._replace(verdict=decided)
    if _has_been_silent(after, now, parameters):
        after = after._replace(points={}, score=0.0)
    state = _next_state(after, now, parameters)
    is_confirmed = state is AnomalyState.CONFIRMED
    verdict = (verdict_of(after.points, by_operator=False) or after.verdict) if is_confirmed else None
    return _change(after, state, now)._replace(verdict=verdict)


def _end_override(before: Suspicion, now: int) -> Suspicion:
    if before.override is None or before.override_until is None or now < before.override_until:
        return before
    points = {key: worth for key, worth in before.points.items() if worth}
    before = end_confirmation(before) if before.override is Override.CONFIRMED else before
    return before._replace(override=None, override_until=None, points=points)


def end_confirmation(before: Suspicion) -> Suspicion:
    """Let what an operator confirmed be only suspected, unless the evidence confirms it as well."""
    return before._replace(state=AnomalyState.SUSPECTED) if before.state is AnomalyState.CONFIRMED else before


def _mute(
    before: Suspicion, points: dict[str, float], evidence: Sequence[Evidence]
) -> tuple[dict[str, float], Sequence[Evidence]]:
    """Ignore the kinds of evidence there were when an operator cleared it: they are kept with 0 points."""
    muted = {kind_of(key) for key, worth in before.points.items() if not worth or not before.score}
    kept = {key: worth for key, worth in points.items() if kind_of(key) not in muted}
    return {**kept, **dict.fromkeys(sorted(muted), 0.0)}, [found for found in evidence if found.kind not in muted]


def _next_state(after: Suspicion, now: int, parameters: DetectionParameters) -> AnomalyState:
    if after.score >= parameters.confirm_points:
        return AnomalyState.CONFIRMED
    if after.state is AnomalyState.CONFIRMED and not _ends(after, now, parameters):
        return AnomalyState.CONFIRMED
    if after.score >= parameters.suspect_points:
        return AnomalyState.SUSPECTED
    if after.state is AnomalyState.SUSPECTED and after.score >= parameters.clear_points and not after.override:
        return AnomalyState.SUSPECTED
    return AnomalyState.OK if after.state is AnomalyState.OK else AnomalyState.CLEARED


def _ends(after: Suspicion, now: int, parameters: DetectionParameters) -> bool:
    """Return whether a confirmation ends, which lasts a day at least."""
    has_lasted = now - after.since >= parameters.confirmed_least_hours * _HOUR
    return after.override is Override.CLEARED or (after.score < parameters.clear_points and has_lasted)


def _has_been_silent(after: Suspicion, now: int, parameters: DetectionParameters) -> bool:
    """Return whether a confirmation has had no evidence for so long that nothing is held against it any more."""
    silent = now - max(after.since, after.evidence_at or 0)
    return after.state is AnomalyState.CONFIRMED and silent >= parameters.confirmed_most_days * _DAY


def _change(before: Suspicion, state: AnomalyState, now: int) -> Suspicion:
    since = before.since if state is before.state and before.since else now
    return before._replace(state=state, at=now, since=since)
