"""How a score develops if its key keeps seeding at its current pace, and what would raise its tier."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from etracker_scoring.scores.formula import DAY, KeyHistory, ScoreParameters, decay, score_of, seeding_weight
from etracker_scoring.scores.keys import Key
from etracker_scoring.scores.notices import TIER_NAMES
from etracker_scoring.scores.tiers import assess, days_missing, entry_score
from etracker_shared.language.tier import Tier

STEP_DAYS = 0.25
HORIZON_DAYS = 120.0

_LN2 = math.log(2.0)


class OwnedTorrent(NamedTuple):
    """A torrent that a key announced. ``seeders``: of the whole swarm; ``debt_seconds``: seeding that the key owes.

    ``wanted``: others download it now.
    """

    length: int | None
    seeders: int
    seeding: bool
    debt_seconds: float
    wanted: bool = True


class Pace(NamedTuple):
    """How a key seeds now. ``weight``: of all its seeding; ``debts``: days of seeding owed for the seeded torrents."""

    weight: float
    debts: Sequence[float]


class Prospect(NamedTuple):
    """The next tier. ``expected_at``: when the key reaches it at its current pace (Unix seconds), None if never.

    ``days_missing``: how many more days of seeding it takes at least, whatever the score.
    """

    tier: Tier
    score_needed: float
    advice: str
    expected_at: float | None
    days_missing: float


def prospect_of(key: Key, torrents: Sequence[OwnedTorrent], now: float, parameters: ScoreParameters) -> Prospect | None:
    """Return what would raise a key's tier, None if it has the highest tier."""
    key = key._replace(history=key.judged_by)
    current = assess(key.history, key.held, key.origin, now, parameters).held.tier
    if current is Tier.LONG_TERM_SEEDER:
        return None
    pace, following = pace_of(torrents, parameters), Tier(current + 1)
    expected_at = _rise(key, pace, now, current, parameters)
    owed = sum(torrent.debt_seconds > 0 and not torrent.seeding for torrent in torrents)
    advice = _advice_to_idle(owed)
    if pace.weight > 0 and expected_at is not None:
        advice = f"Keep seeding what you seed now to become a {TIER_NAMES[following]}."
        advice += f" Seeding {_torrents(owed)} that you fetched and left gets you there sooner." if owed else ""
    elif pace.weight > 0:
        at_last = continued(key.history, pace, now, HORIZON_DAYS, parameters)
        level = score_of(at_last, at_last.at_seconds, parameters).total
        advice = (
            f"What you seed now levels off at {level:.0f} points. "
            "Seed more, larger torrents, and ones that others download and few seed."
        )
        advice += f" Begin with {_torrents(owed)} that you fetched and left." if owed else ""
    missing = days_missing(key.history, following, parameters)
    advice += _further_days(missing) if missing else ""
    return Prospect(following, entry_score(following, parameters), advice, expected_at, missing)


def pace_of(torrents: Sequence[OwnedTorrent], parameters: ScoreParameters) -> Pace:
    """Return how a key seeds now."""
    seeded = [torrent for torrent in torrents if torrent.seeding]
    weight = sum(
        seeding_weight(torrent.length, torrent.seeders, parameters, wanted=torrent.wanted) for torrent in seeded
    )
    debts = [torrent.debt_seconds / DAY for torrent in seeded if torrent.debt_seconds > 0]
    return Pace(min(weight, parameters.largest_total_weight), debts)


def continued(key: KeyHistory, pace: Pace, now: float, days: float, parameters: ScoreParameters) -> KeyHistory:
    """Return a key's history after some more days of seeding at a pace."""
    before = decay(decay(key, now, parameters), now + days * DAY, parameters)
    if not pace.weight:
        return before
    conduct = parameters.conduct_half_life_days
    paying = [min(debt, days) for debt in pace.debts]
    paid = sum(_collected(spent, conduct) * math.exp2((spent - days) / conduct) for spent in paying)
    return before._replace(
        recent=before.recent + pace.weight * (1.0 - math.exp2(-days / parameters.recent_half_life_days)),
        average=before.average + pace.weight * (1.0 - math.exp2(-days / parameters.average_half_life_days)),
        length_days=before.length_days + _collected(days, parameters.length_half_life_days),
        paid=before.paid + paid / (parameters.debt_hours / 24.0),
        seeding_seconds=before.seeding_seconds + days * DAY,
    )


def _collected(days: float, half_life_days: float) -> float:
    """Sum up one day per day, decaying."""
    return half_life_days / _LN2 * (1.0 - math.exp2(-days / half_life_days))


def _rise(key: Key, pace: Pace, now: float, current: Tier, parameters: ScoreParameters) -> float | None:
    """Find when the tier rises if nothing changes."""
    for step in range(1, int(HORIZON_DAYS / STEP_DAYS) + 1):
        history = continued(key.history, pace, now, step * STEP_DAYS, parameters)
        then = now + step * STEP_DAYS * DAY
        if assess(history, key.held, key.origin, then, parameters).held.tier > current:
            return then
    return None


def _advice_to_idle(owed: int) -> str:
    if owed:
        return f"Seed {_torrents(owed)} that you fetched and left: each snatch owes a day of seeding."
    return "Seed something. Large torrents and those that others download and few seed count most."


def _further_days(missing: float) -> str:
    days = math.ceil(missing)
    return f" Whatever the score, this tier takes {days} more {'day' if days == 1 else 'days'} of seeding."


def _torrents(count: int) -> str:
    return "the torrent" if count == 1 else f"the {count} torrents"
