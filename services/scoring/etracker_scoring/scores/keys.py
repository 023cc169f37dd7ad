"""A registered key, with everything needed to judge it."""

from typing import NamedTuple

from etracker_scoring.scores.formula import NEW_KEY, KeyHistory, Score, ScoreParameters
from etracker_scoring.scores.tiers import Assessment, HeldTier, Origin, assess
from etracker_shared.language.identity import KeyHash
from etracker_shared.language.tier import Tier

_LOWEST = Assessment(HeldTier(Tier.FREE_RIDER), Score(0.0, 0.0, 0.0, 0.0, 0.0))


class Key(NamedTuple):
    """A registered key, as of its last announce.

    ``undelivered_since_ms``: when the notice that the key's clients haven't seen yet was stored, None if there is none.
    ``frozen``: what it is judged by instead of its history, while an anomaly is suspected or confirmed. ``confirmed``:
    an anomaly is confirmed.
    """

    id: int
    key_hash: KeyHash
    history: KeyHistory = NEW_KEY
    held: HeldTier = HeldTier(Tier.LITTLE_HISTORY)
    origin: Origin = Origin()
    undelivered_since_ms: int | None = None
    frozen: KeyHistory | None = None
    confirmed: bool = False

    @property
    def judged_by(self) -> KeyHistory:
        """What the key is judged by."""
        return self.frozen or self.history


def assess_key(key: Key, now: float, parameters: ScoreParameters) -> Assessment:
    """Judge a key at a given time; one with a confirmed anomaly has no points and the lowest tier."""
    if key.confirmed:
        return _LOWEST
    return assess(key.judged_by, key.held, key.origin, now, parameters)
