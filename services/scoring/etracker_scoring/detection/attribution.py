"""Who and what evidence is held against: addresses, keys, and how much of it is written down."""

from collections.abc import Mapping, Sequence

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.points import fade, is_doubtful, kind_of, score_of
from etracker_scoring.detection.records import Evidence, Suspicion
from etracker_shared.agreements.anomalies import VERDICTS, Kind, Override, Verdict

_MOST_PREFIXES = 32
_MOST_TORRENTS = 64
_MOST_INHERITED = 0.9
"""Of the points that confirm."""
_ROUNDS = 8


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
    if VERDICTS.get(found.kind) is not Verdict.WASTE or "inherited" in found.data:
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


def inherit(former: Suspicion, parameters: DetectionParameters, first: Evidence) -> list[Evidence]:
    """Return what is held against a new key because of a suspected key or guest at its address.

    ``first``: says when, in which torrent, and from where the new key first announced; the rest of it is replaced. The
    caller knows that the former one was used at the same address within the last ``inherit_hours``. What is inherited
    confirms nobody: an address may have several users.
    """
    if former.override in {Override.EXEMPT, Override.CLEARED}:
        return []
    points = fade(former.points, max(0, first.at - former.at), parameters)
    share = _inherited_share(points, parameters)
    sums: dict[tuple[str, bool], float] = {}
    for key, worth in points.items():
        ground = (kind_of(key), is_doubtful(key))
        sums[ground] = sums.get(ground, 0.0) + worth * share
    return [_inherited(kind, worth, first, doubtful=doubtful) for (kind, doubtful), worth in sums.items() if worth]


def _inherited_share(points: Mapping[str, float], parameters: DetectionParameters) -> float:
    """Return by what to multiply points so that the score becomes half of what it is: some count up to a limit only."""
    share, score = parameters.inherited_share, score_of(points, parameters)
    most = min(share * score, _MOST_INHERITED * parameters.confirm_points)
    for _ in range(_ROUNDS):
        counted = score_of({key: worth * share for key, worth in points.items()}, parameters)
        share *= min(1.0, most / counted) if counted else 0.0
    return share


def _inherited(kind: str, points: float, first: Evidence, *, doubtful: bool) -> Evidence:
    text = f"A key or guest with {kind} against it was used at the same address shortly before."
    data = {"inherited": 1, "convicts": int(not doubtful), "trusted": int(not doubtful)}
    return first._replace(kind=Kind(kind), points=round(points, 2), text=text, data=data)
