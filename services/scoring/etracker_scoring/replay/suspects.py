"""What a replay concludes about each key and guest, and the changes that it reports."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.records import Evidence, Identity, Suspicion
from etracker_scoring.detection.states import conclude
from etracker_shared.agreements.anomalies import AnomalyState

_MOST_TEXTS = 3
_ENDING = frozenset({AnomalyState.SUSPECTED, AnomalyState.CONFIRMED})


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

    def accuse(self, identity: Identity, found: Evidence) -> Change | None:
        """Conclude from a piece of evidence, as of its own time."""
        self._evidence[identity][found.kind.value] = found
        before = self._states.get(identity)
        after = self._states[identity] = conclude(before, [found], found.at, self._parameters)
        return self._change(identity, before, after)

    def let_pass(self, now: int) -> Iterator[Change]:
        """End the suspicions and confirmations whose time is over at ``now``, Unix seconds."""
        for identity, before in sorted(self._states.items()):
            if before.state not in _ENDING:
                continue
            after = conclude(before, (), now, self._parameters)
            if after.state != before.state or after.verdict != before.verdict:
                self._states[identity] = after
                change = self._change(identity, before, after)
                if change:
                    yield change

    def forget(self, now: int) -> None:
        """Forget those whom nothing speaks against any more."""
        for identity, known in list(self._states.items()):
            if known.state not in _ENDING and not conclude(known, (), now, self._parameters).points:
                del self._states[identity]
                del self._evidence[identity]

    def _change(self, identity: Identity, before: Suspicion | None, after: Suspicion) -> Change | None:
        if after.state in {AnomalyState.OK, before.state if before else AnomalyState.OK}:
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
