"""The lines that a replay writes: one whenever somebody is suspected, confirmed or cleared."""

import json
from typing import Any

from etracker_scoring.detection.records import Evidence
from etracker_scoring.replay.catalogue import Catalogue
from etracker_scoring.replay.suspects import Change
from etracker_shared.agreements.anomalies import AnomalyState

_FADED = "The evidence has faded."


def describe(change: Change, catalogue: Catalogue) -> bytes:
    """Return a change as a line. ``kinds`` are the strongest first; a guest has its hash instead of a key."""
    name = catalogue.name_of(change.identity)
    fields: dict[str, Any] = {"time": change.at, "key": name}
    if name is None:
        fields["guest"] = change.identity.hex()
    fields |= {
        "state": change.state.name.lower(),
        "score": round(change.score, 1),
        "kinds": list(change.points),
        "points": {kind: round(points, 1) for kind, points in change.points.items()},
        "text": _text(change, catalogue),
    }
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def _text(change: Change, catalogue: Catalogue) -> str:
    said = " ".join(_sentence(evidence, catalogue) for evidence in change.evidence)
    return f"{_FADED} {said}".strip() if change.state == AnomalyState.CLEARED else said


def _sentence(evidence: Evidence, catalogue: Catalogue) -> str:
    return f"Torrent {catalogue.info_hash_of(evidence.info_hash_id).hex()}: {evidence.text}"
