"""What a replay concludes about each key and guest, and the changes that it reports."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.records import Evidence, Identity, Suspicion
from etracker_scoring.detection.states import conclude
from etracker_shared.agreements.anomalies import AnomalyState

_MOST_TEXTS = 3


class Change(NamedTuple):
    """A key or guest came into another state. ``points``: by kind of evidence, strongest first."""

    identity: Identity
    at: int
    state: AnomalyState
    score: float
    points: Mapping[str, float]
    evidence: Sequence[Evidence]


class Suspects:
    """States. ``evidence``: the last of each kind, only about those that there is any about."""

    def __init__(self, parameters: DetectionParameters) -> None:
        self._parameters = parameters
        self._states: dict[Identity, Suspicion] = {}
        self._evidence: defaultdict[Identity, dict[str, Evidence]] = defaultdict(dict)

    def add(self, identity: Identity, evidence: Sequence[Evidence], now: int) -> Change | None:
        """Add evidence found at ``now`` (Unix seconds)."""
        self._evidence[identity].update((found.kind.value, found) for found in evidence)
        return self._conclude(identity, evidence, now)

    def let_pass(self, now: int) -> Iterator[Change]:
        """Let time pass for everybody; forget whom nothing speaks against any more."""
        for identity in sorted(self._states):
            change = self._conclude(identity, (), now)
            if change:
                yield change
            after = self._states[identity]
            if not after.points and after.state in {AnomalyState.OK, AnomalyState.CLEARED}:
                del self._states[identity]
                del self._evidence[identity]

    def _conclude(self, identity: Identity, evidence: Sequence[Evidence], now: int) -> Change | None:
        before = self._states.get(identity)
        after = self._states[identity] = conclude(before, evidence, now, self._parameters)
        if after.state == AnomalyState.OK or (before is not None and before.state == after.state):
            return None
        points = _by_kind(after.points)
        known = self._evidence[identity]
        texts = [known[kind] for kind in points or known if kind in known][:_MOST_TEXTS]
        return Change(identity, after.at, after.state, after.score, points, texts)


def _by_kind(points: Mapping[str, float]) -> dict[str, float]:
    """Add up points by kind: those of a swarm's balance are kept for each torrent, whose id follows the kind."""
    sums: defaultdict[str, float] = defaultdict(float)
    for name, worth in points.items():
        sums[":".join(name.split(":")[:2])] += worth
    return {kind: sums[kind] for kind in sorted(sums, key=lambda kind: (-sums[kind], kind)) if sums[kind] > 0}
