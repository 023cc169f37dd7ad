"""Points of each kind of evidence: how they fade, add up, and what limits them.

Kinds about a swarm's balance are limited for each torrent, so their points are kept for each: the key is the kind,
a colon and the torrent's id (``C:upload:17``). The key of every other kind is the kind. The part of a key before the
second colon is always the kind (:func:`kind_of`).
"""

from collections.abc import Iterable, Mapping

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.records import Evidence
from etracker_shared.agreements.anomalies import VERDICTS, Kind, Verdict

_HOUR = 3600
_LEAST = 0.01
_MOST_KEYS = 64
_CAPS = {
    Kind.SAWTOOTH: "fall_cap",
    Kind.HIDDEN: "gap_cap",
    Kind.HIDDEN_ONCE: "gap_once_cap",
    Kind.REDOWNLOAD: "excess_cap",
    Kind.CYCLE: "cycle_cap",
    Kind.NO_DATA: "nothing_cap",
    Kind.STARTED: "event_cap",
    Kind.COMPLETED: "event_cap",
    Kind.FLOOD: "flood_cap",
    Kind.MULTIPLES_OF_5: "multiples_cap",
    Kind.CONSTANT_RATE: "constant_cap",
    Kind.USER_AGENT: "agent_cap",
    Kind.PORT: "port_cap",
}
"""The parameter with the most points of a kind."""

_SWARM_CAPS = {
    "C:hidden": ("hidden_cap", 45.0),
    "C:hidden:open": ("hidden_cap_untrusted", 15.0),
    "C:sink": ("sink_cap", 80.0),
    "C:sink:shared": ("shared_sink_cap", 30.0),
}
"""The same for evidence about a swarm's balance, whose thresholds stand apart, and the default."""

_UNCERTAIN = frozenset({Kind.NO_DATA.value, Kind.HIDDEN_ONCE.value})
"""Kinds that honest clients give, too, and that convict nobody by themselves, like :func:`is_doubtful` evidence."""

DOUBTFUL = f"{Kind.SWARM_UPLOAD}:doubtful"
"""The key of accusations that can't convict: the greatest of all torrents counts."""

_OPEN = ":open"
"""Ends the keys of evidence in a swarm that may have peers on other trackers."""


def fade(points: Mapping[str, float], seconds: float, parameters: DetectionParameters) -> dict[str, float]:
    """Return points after some time; those with next to no worth are dropped, zeros are kept."""
    share = _left_of(seconds, parameters)
    faded = ((key, worth * share) for key, worth in points.items())
    return {key: worth for key, worth in faded if worth >= _LEAST or not worth}


def add_points(
    points: Mapping[str, float], evidence: Iterable[Evidence], now: int, parameters: DetectionParameters
) -> dict[str, float]:
    """Return points after evidence: those of a kind add up, those of ``C:upload`` are a level."""
    summed = dict(points)
    for found in evidence:
        worth = found.points * _left_of(now - found.at, parameters)
        key, cap = _key_of(found), _cap_of(found, parameters)
        known = summed.get(key, 0.0)
        added = worth if found.kind is Kind.SWARM_UPLOAD else known + worth
        summed[key] = max(known, min(added, cap))
    return _strongest(summed)


def score_of(points: Mapping[str, float], parameters: DetectionParameters) -> float:
    """Return the score: the sum, in which evidence counts for little that convicts nobody by itself."""
    fingerprints = sum(worth for key, worth in points.items() if _is_weak_fingerprint(key))
    uncertain = sum(worth for key, worth in points.items() if key in _UNCERTAIN) + _doubtful(points, parameters)
    return (
        sum(worth for key, worth in points.items() if _can_convict(key))
        + min(parameters.fingerprint_cap, fingerprints)
        + min(parameters.uncertain_cap, uncertain)
    )


def kind_of(key: str) -> str:
    """Return the kind of evidence of a key of points."""
    return ":".join(key.split(":")[:2])


def is_doubtful(key: str) -> bool:
    """Return whether a key of points is of evidence that can't convict by itself."""
    return key == DOUBTFUL or key.endswith(_OPEN)


def _can_convict(key: str) -> bool:
    return not (_is_weak_fingerprint(key) or is_doubtful(key) or key in _UNCERTAIN)


def _is_weak_fingerprint(key: str) -> bool:
    return key.startswith("F:") and key != Kind.MULTIPLES_OF_5


def _doubtful(points: Mapping[str, float], parameters: DetectionParameters) -> float:
    """Return what doubtful evidence adds. An accusation that convicts later isn't counted twice."""
    convicting = sum(worth for key, worth in points.items() if kind_of(key) == Kind.SWARM_UPLOAD and key != DOUBTFUL)
    accused = max(0.0, points.get(DOUBTFUL, 0.0) - convicting)
    hidden = sum(worth for key, worth in points.items() if key.endswith(_OPEN))
    return float(min(getattr(parameters, "untrusted_cap", 45.0), accused + hidden))


def verdict_of(points: Mapping[str, float], *, by_operator: bool) -> Verdict | None:
    """Return the verdict that most points speak for.

    Only an operator convicts of waste by a stay in the swarm: it doesn't show what became of the data.
    """
    sums: dict[Verdict, float] = {}
    for key, worth in points.items():
        verdict = VERDICTS.get(Kind(kind_of(key)), Verdict.STATISTICS)
        if key == Kind.SWARM_SINK and not by_operator:
            verdict = Verdict.HIDDEN_DOWNLOAD
        sums[verdict] = sums.get(verdict, 0.0) + worth
    return max(sums, key=lambda verdict: (sums[verdict], -verdict)) if any(sums.values()) else None


def _left_of(seconds: float, parameters: DetectionParameters) -> float:
    return float(0.5 ** (max(0.0, seconds) / (parameters.points_half_life_hours * _HOUR)))


def _key_of(found: Evidence) -> str:
    if found.kind is Kind.SWARM_UPLOAD:
        return f"{found.kind}:{found.info_hash_id}" if found.data.get("convicts", 1) else DOUBTFUL
    if found.kind is Kind.SWARM_HIDDEN:
        return f"{found.kind}:{found.info_hash_id}{'' if found.data.get('trusted', 1) else _OPEN}"
    return found.kind.value


def _cap_of(found: Evidence, parameters: DetectionParameters) -> float:
    name = _CAPS.get(found.kind)
    if name is not None:
        return float(getattr(parameters, name))
    kind = found.kind.value
    if found.kind is Kind.SWARM_HIDDEN and not found.data.get("trusted", 1):
        kind += _OPEN
    if found.kind is Kind.SWARM_SINK and int(found.data.get("candidates", 1)) > 1:
        kind += ":shared"
    name, default = _SWARM_CAPS.get(kind, ("", float("inf")))
    return float(getattr(parameters, name, default))


def _strongest(points: dict[str, float]) -> dict[str, float]:
    if len(points) <= _MOST_KEYS:
        return points
    kept = sorted(points, key=lambda key: (-points[key], key))[:_MOST_KEYS]
    return {key: points[key] for key in sorted(kept)}
