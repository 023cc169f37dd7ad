"""A registered key, as everything that judges it needs it."""

from typing import NamedTuple

from etracker_scoring.scores.formula import NEW_KEY, KeyHistory
from etracker_scoring.scores.tiers import HeldTier, Origin
from etracker_shared.language.identity import KeyHash
from etracker_shared.language.tier import Tier


class Key(NamedTuple):
    """A registered key, as of its last announce.

    ``undelivered_since_ms``: when the notice that waits for the key's clients was stored, None if none waits.
    """

    id: int
    key_hash: KeyHash
    history: KeyHistory = NEW_KEY
    held: HeldTier = HeldTier(Tier.LITTLE_HISTORY)
    origin: Origin = Origin()
    undelivered_since_ms: int | None = None
