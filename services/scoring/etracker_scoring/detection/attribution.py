"""Who and what evidence is held against: addresses, keys, and how much of it is written down."""

from collections.abc import Mapping, Sequence

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.points import fade
from etracker_scoring.detection.records import Evidence, Suspicion
from etracker_scoring.detection.states import conclude
from etracker_shared.agreements.anomalies import VERDICTS, Override, Verdict

_MOST_PREFIXES = 32
_MOST_TORRENTS = 64


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


def add_prefix(
    prefixes: Mapping[str, float], found: Evidence, seconds: float, parameters: DetectionParameters
) -> dict[str, float]:
    """Add a piece of evidence to the points by the address prefix (in hex) that evidence came from.

    ``seconds``: since the evidence before it. Of many prefixes those with most points are kept.
    """
    summed = fade(prefixes, max(0.0, seconds), parameters)
    if found.prefix is not None and found.points > 0:
        name = found.prefix.hex()
        summed[name] = summed.get(name, 0.0) + found.points
    return _greatest(summed, _MOST_PREFIXES)


def add_waste(wasted: Mapping[str, float], found: Evidence) -> dict[str, float]:
    """Add a piece of evidence to the times that each torrent's size was downloaded in vain, by the torrent's id.

    A torrent in which that can't be said has 0. Of many torrents those with most are kept.
    """
    if VERDICTS.get(found.kind) is not Verdict.WASTE:
        return dict(wasted)
    name, size = str(found.info_hash_id), float(found.data.get("size", 0))
    surplus = float(found.data.get("excess", 0)) or float(found.data.get("downloaded", 0)) - size
    sizes = max(0.0, surplus) / size if size > 0 else 0.0
    return _greatest({**wasted, name: max(wasted.get(name, 0.0), sizes)}, _MOST_TORRENTS)


def _greatest(amounts: dict[str, float], most: int) -> dict[str, float]:
    if len(amounts) <= most:
        return amounts
    kept = sorted(amounts, key=lambda name: (-amounts[name], name))[:most]
    return {name: amounts[name] for name in sorted(kept)}


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
