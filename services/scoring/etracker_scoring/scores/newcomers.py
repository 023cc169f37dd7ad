"""Judges new keys by their address prefix: one newcomer's grace per prefix at a time, and none after a free-rider."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from etracker_scoring.scores.formula import DAY, ScoreParameters
from etracker_scoring.scores.keys import Key
from etracker_scoring.scores.tiers import Origin, assess, is_careless
from etracker_shared.language.identity import KeyHash
from etracker_shared.language.tier import Tier

PROMISE_SECONDS = 3600.0
"""How long a promised grace waits for its key. A key whose first announce is refused, for a torrent that isn't tracked
for example, announces again sooner; one that never comes must not keep the grace from its neighbours."""


class Newcomer(NamedTuple):
    """A key's first announce. ``at_seconds``: Unix time."""

    key_id: int
    prefix: bytes
    at_seconds: float


class Neighbour(NamedTuple):
    """A key whose first announce came from the same prefix. ``last_seen``: Unix seconds."""

    key: Key
    prefix: bytes
    last_seen: float


class Promise(NamedTuple):
    """The key to which scoring has promised a prefix's grace, in answer to an announce. ``at_seconds``: Unix time."""

    key_id: int
    at_seconds: float


@dataclass(slots=True)
class Origins:
    """The decisions about newcomers.

    ``by_key``: the origin of each newcomer. ``overtaken``: keys that lose their grace to another newcomer from the
    same prefix. ``unpromised``: newcomers that get a grace that was promised to nobody.
    """

    by_key: dict[int, Origin] = field(default_factory=dict)
    overtaken: dict[int, KeyHash] = field(default_factory=dict)
    unpromised: list[Newcomer] = field(default_factory=list)


def decide_origins(
    newcomers: Iterable[Newcomer],
    neighbours: Iterable[Neighbour],
    parameters: ScoreParameters,
    promises: Mapping[bytes, Promise] | None = None,
) -> Origins:
    """Decide which newcomers get the grace and which are stained. Facts of different keys may arrive in any order.

    ``promises``: by prefix. While one lasts, the grace is its key's, whichever key announced first or is settled first.
    """
    memory = parameters.prefix_memory_days * DAY
    nearby: dict[bytes, list[Neighbour]] = {}
    graced: dict[bytes, list[tuple[float, int]]] = {}
    hashes: dict[int, KeyHash] = {}
    for neighbour in neighbours:
        nearby.setdefault(neighbour.prefix, []).append(neighbour)
        hashes[neighbour.key.id] = neighbour.key.key_hash
        if neighbour.key.origin.grace and neighbour.key.origin.since is not None:
            graced.setdefault(neighbour.prefix, []).append((neighbour.key.origin.since, neighbour.key.id))
    result = Origins()
    stains: dict[bytes, bool] = {}  # once per prefix: the newcomers of one batch arrived at nearly the same time
    for key_id, prefix, at in sorted(newcomers, key=lambda newcomer: (newcomer.at_seconds, newcomer.key_id)):
        if prefix not in stains:
            stains[prefix] = any(_stains(one, at, memory, parameters) for one in nearby.get(prefix, ()))
        stained = stains[prefix]
        holders = [holder for holder in graced.get(prefix, ()) if abs(holder[0] - at) < memory]
        promise = _promise_at(at, (promises or {}).get(prefix))
        is_next = key_id == promise.key_id if promise else all((at, key_id) < holder for holder in holders)
        grace = is_next and not stained
        if grace:
            if promise is None:
                result.unpromised.append(Newcomer(key_id, prefix, at))
            result.overtaken.update((holder, hashes[holder]) for _, holder in holders)
            graced[prefix] = [holder for holder in graced.get(prefix, ()) if holder not in holders] + [(at, key_id)]
        result.by_key[key_id] = Origin(grace=grace, stained=stained, since=at)
    return result


def _promise_at(at: float, promise: Promise | None) -> Promise | None:
    return promise if promise and at < promise.at_seconds + PROMISE_SECONDS else None


def _stains(neighbour: Neighbour, at: float, memory: float, parameters: ScoreParameters) -> bool:
    if at - neighbour.last_seen >= memory:
        return False
    key = neighbour.key
    assessment = assess(key.history, key.held, key.origin, at, parameters)
    return assessment.held.tier is Tier.FREE_RIDER and is_careless(key.history, assessment.score, parameters)


def follow_promises(
    newcomers: Mapping[int, Newcomer], promised: Iterable[tuple[bytes, Promise]]
) -> dict[int, Newcomer]:
    """Return the newcomers, those with a promise under the prefix that it was made for.

    A client with several addresses may be asked about with one and settled with another. Of several promises to a key,
    the first one counts.
    """
    moved = dict(newcomers)
    for prefix, promise in sorted(promised, key=lambda item: item[1].at_seconds, reverse=True):
        newcomer = newcomers.get(promise.key_id)
        if newcomer and _promise_at(newcomer.at_seconds, promise):
            moved[promise.key_id] = newcomer._replace(prefix=prefix)
    return moved
