"""Who and what evidence is held against: addresses, keys, and how much of it is written down."""

from collections.abc import Iterable, Sequence

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.points import fade
from etracker_scoring.detection.records import Evidence, Suspicion
from etracker_scoring.detection.states import conclude
from etracker_shared.agreements.anomalies import Kind, Override


def choose_rows(
    evidence: Sequence[Evidence], stored_today: int, parameters: DetectionParameters, *, is_new_state: bool
) -> list[Evidence]:
    """Return the evidence to write down: a limited number a day, and always what led to a new state.

    What isn't written down counts all the same.
    """
    room = max(0, parameters.rows_per_day - stored_today)
    chosen = list(evidence[:room])
    if is_new_state and len(evidence) > room:
        strongest = max(evidence[room:], key=lambda found: found.points)
        chosen.append(strongest)
    return chosen


def is_shared(found: Evidence, others: Iterable[Evidence]) -> bool:
    """Return whether others in the torrent download the same data again at the same time.

    Then somebody else sends bad data to all of them, and none of them is to blame. ``others``: evidence against other
    keys and guests.
    """
    return found.kind is Kind.REDOWNLOAD and any(
        other.kind is Kind.REDOWNLOAD and other.info_hash_id == found.info_hash_id and _overlap(found, other)
        for other in others
    )


def _overlap(one: Evidence, other: Evidence) -> bool:
    if one.block_from is None or one.block_to is None or other.block_from is None or other.block_to is None:
        return False
    return one.block_from <= other.block_to and other.block_from <= one.block_to


def inherit(former: Suspicion, now: int, parameters: DetectionParameters) -> Suspicion | None:
    """Return what a new key at the address of a suspected one begins with; None if that is nothing.

    The caller knows that the former key was used at the same address within the last ``inherit_hours``.
    """
    if former.override in {Override.EXEMPT, Override.CLEARED}:
        return None
    points = {
        key: worth * parameters.inherited_share
        for key, worth in fade(former.points, now - former.at, parameters).items()
        if worth
    }
    if not points:
        return None
    return conclude(Suspicion(points=points, at=now, evidence_at=former.evidence_at), (), now, parameters)
