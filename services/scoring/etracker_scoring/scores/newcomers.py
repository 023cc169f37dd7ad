"""Judges new keys by their address prefix: one newcomer's grace per prefix at a time, and none after a free-rider."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from etracker_scoring.scores.formula import DAY, ScoreParameters
from etracker_scoring.scores.keys import Key
from etracker_scoring.scores.tiers import Origin, assess, is_careless
from etracker_shared.language.identity import KeyHash
from etracker_shared.language.tier import Tier


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


@dataclass(slots=True)
class Origins:
    """The decisions about newcomers.

    ``by_key``: the origin of each newcomer. ``overtaken``: keys that lose their grace to an earlier newcomer from the
    same prefix.
    """

    by_key: dict[int, Origin] = field(default_factory=dict)
    overtaken: dict[int, KeyHash] = field(default_factory=dict)


def decide_origins(
    newcomers: Iterable[Newcomer], neighbours: Iterable[Neighbour], parameters: ScoreParameters
) -> Origins:
    """Decide which newcomers get the grace and which are stained. Facts of different keys may arrive in any order."""
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
        grace = not stained and all((at, key_id) < holder for holder in holders)
        if grace:
            result.overtaken.update((holder, hashes[holder]) for _, holder in holders)
            graced[prefix] = [holder for holder in graced.get(prefix, ()) if holder not in holders] + [(at, key_id)]
        result.by_key[key_id] = Origin(grace=grace, stained=stained, since=at)
    return result


def _stains(neighbour: Neighbour, at: float, memory: float, parameters: ScoreParameters) -> bool:
    if at - neighbour.last_seen >= memory:
        return False
    key = neighbour.key
    assessment = assess(key.history, key.held, key.origin, at, parameters)
    return assessment.held.tier is Tier.FREE_RIDER and is_careless(key.history, assessment.score, parameters)
