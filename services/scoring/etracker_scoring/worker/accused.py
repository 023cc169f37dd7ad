"""A key or guest with evidence against it, in one transaction.

A state depends on the evidence and its times alone, not on how it was cut into batches: each piece is concluded upon by
itself, as of its own time.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from etracker_scoring.detection.attribution import add_prefix, add_waste, choose_rows
from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.points import kind_of
from etracker_scoring.detection.records import KEY_BYTES, Evidence, Identity, Suspicion
from etracker_scoring.detection.states import conclude
from etracker_scoring.worker.freezing import Target
from etracker_shared.agreements.anomalies import AnomalyState, Override

DAY_SECONDS = 86_400


@dataclass(slots=True)
class Accused:
    """A key or guest. ``id``: of its row, None until it has one.

    ``prefixes``: points of the evidence by the address prefix that it came from, as of the latest. ``wasted``: how many
    times the size of a torrent was downloaded in vain, by its id. ``overruled``: an operator's decision wasn't applied
    yet. ``counted``: pieces of evidence written, by day. ``evidence``: to be written, each with its data as JSON.
    """

    identity: Identity
    id: int | None = None
    suspicion: Suspicion | None = None
    peer_id: bytes | None = None
    prefixes: Mapping[str, float] = field(default_factory=dict)
    wasted: Mapping[str, float] = field(default_factory=dict)
    overruled: bool = False
    counted: Counter[int] = field(default_factory=Counter)
    evidence: list[tuple[Evidence, str]] = field(default_factory=list)

    def accuse(self, found: Evidence, parameters: DetectionParameters) -> None:
        """Add a piece of evidence. If this raises, nothing has changed."""
        before = self.suspicion
        after = conclude(before, [found], found.at, parameters)
        data = _as_json(found, after)
        day = found.at // DAY_SECONDS
        is_new_state = after.state is not (before.state if before else AnomalyState.OK)
        chosen = choose_rows([found], self.counted[day], parameters, is_new_state=is_new_state)
        if _counts(found, after):
            silence = found.at - (before.evidence_at if before and before.evidence_at else found.at)
            self.prefixes, self.wasted = (
                add_prefix(self.prefixes, found, silence, parameters),
                add_waste(self.wasted, found),
            )
        self._conclude(after)
        if after.override is Override.EXEMPT:
            return
        self.counted[day] += len(chosen)
        self.evidence += [(one, data) for one in chosen]
        self.peer_id = found.peer_id or self.peer_id

    def wait_until(self, now: int, parameters: DetectionParameters) -> bool:
        """Let time pass; return whether that changed more than the score."""
        before = self.suspicion
        after = conclude(before, [], now, parameters)
        self._conclude(after)
        return self.overruled or before is None or _lasting(before) != _lasting(after)

    def _conclude(self, after: Suspicion) -> None:
        self.suspicion = after
        if not (any(after.points.values()) or after.override is Override.CONFIRMED):
            self.prefixes, self.wasted = {}, {}

    @property
    def key_id(self) -> int | None:
        """The id of the key, None for a guest."""
        return int.from_bytes(self.identity, "big") if len(self.identity) == KEY_BYTES else None

    @property
    def target(self) -> Target:
        """What the key is to be treated as."""
        return Target(self.suspicion.state if self.suspicion else AnomalyState.OK, self.overruled)


def _as_json(found: Evidence, after: Suspicion) -> str:
    """Return the data of a piece of evidence.

    Raises:
        ValueError, TypeError: Postgres would refuse this or the score, and with it everything in the transaction.
    """
    if not math.isfinite(after.score + found.points):
        raise ValueError(f"{found.kind} with a number that isn't finite")
    return json.dumps(dict(found.data), separators=(",", ":"), allow_nan=False)


def _counts(found: Evidence, after: Suspicion) -> bool:
    """Return whether evidence has points: an operator's decision may have muted its kind."""
    return any(worth and kind_of(key) == found.kind for key, worth in after.points.items())


def _lasting(suspicion: Suspicion) -> tuple[object, ...]:
    return suspicion.state, suspicion.verdict, suspicion.override
