"""What an anomaly does to a key's standing. Pure.

While an anomaly is suspected the key is judged by what it had done before, which shows to nobody. While it is confirmed
the key has no points and the lowest tier. What is earned in the meantime is stored all the same: it counts at once when
a suspicion ends, or when an operator ends a confirmation. If a confirmation ends by itself, the seeding credited since
the suspicion began is lost.
"""

from typing import NamedTuple

from etracker_scoring.scores.formula import KeyHistory, ScoreParameters, decay
from etracker_scoring.scores.keys import Key, assess_key
from etracker_scoring.scores.tiers import HeldTier
from etracker_shared.agreements.anomalies import AnomalyState


class Freezing(NamedTuple):
    """A key's standing after an anomaly changed. ``returns_to``: the tier that it holds after a confirmation."""

    key: Key
    returns_to: HeldTier
    score: float


def freeze(
    key: Key,
    returns_to: HeldTier,
    state: AnomalyState,
    now: float,
    parameters: ScoreParameters,
    *,
    pays_back: bool = False,
) -> Freezing | None:
    """Return what changes about a key, None if nothing does.

    ``returns_to``: as stored when its anomaly was confirmed. ``pays_back``: the end of a confirmation isn't its own.
    """
    confirmed = state is AnomalyState.CONFIRMED
    suspected = confirmed or state is AnomalyState.SUSPECTED
    if (suspected, confirmed) == (key.frozen is not None, key.confirmed):
        return None
    held = returns_to if key.confirmed else key.held
    history = key.history
    if key.confirmed and key.frozen and not pays_back:
        history = _without_later_seeding(history, key.frozen, max(now, history.at_seconds), parameters)
    frozen = (key.frozen or key.history) if suspected else None
    after = key._replace(history=history, held=held, frozen=frozen, confirmed=confirmed)
    if confirmed == key.confirmed:
        return Freezing(after, held, 0.0)
    assessment = assess_key(after, now, parameters)
    return Freezing(after._replace(held=assessment.held), held, assessment.score.total)


def _without_later_seeding(
    history: KeyHistory, frozen: KeyHistory, now: float, parameters: ScoreParameters
) -> KeyHistory:
    """Return a history with no more seeding than there was before; what was owed, paid or disowned since stays."""
    after, before = decay(history, now, parameters), decay(frozen, now, parameters)
    return after._replace(
        recent=min(after.recent, before.recent),
        average=min(after.average, before.average),
        length_days=min(after.length_days, before.length_days),
    )
