"""A registered key, with everything needed to judge it."""

from typing import NamedTuple

from etracker_scoring.scores.formula import NEW_KEY, KeyHistory
from etracker_scoring.scores.tiers import HeldTier, Origin
from etracker_shared.language.identity import KeyHash
from etracker_shared.language.tier import Tier


class Key(NamedTuple):
    """A registered key, as of its last announce.

    ``undelivered_since_ms``: when the notice that the key's clients haven't seen yet was stored, None if there is none.
    """

    id: int
    key_hash: KeyHash
    history: KeyHistory = NEW_KEY
    held: HeldTier = HeldTier(Tier.LITTLE_HISTORY)
    origin: Origin = Origin()
    undelivered_since_ms: int | None = None
