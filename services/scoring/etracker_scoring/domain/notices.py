"""What a key's clients are told about a changed tier.

Texts are an API: clients act on words in them (PROTOCOL.md, 19), so a test holds these to announce's list. One line of
ASCII, at most 127 bytes: Transmission 3.00 cuts there.
"""

from typing import NamedTuple

from etracker_shared.tiers import Tier

DELIVERY_MS = 2000
"""How long after a notice was stored an announce may still be answered without it: caches in between hear of it."""

TIER_NAMES = ("free-rider", "little history", "contributor", "steady seeder", "long-term seeder")


class Notice(NamedTuple):
    """A text for a key's clients, and since when it is true (Unix milliseconds)."""

    text: str
    at_ms: int


def tier_notice(before: Tier, after: Tier) -> str:
    """Say that a tier changed."""
    name = f"tier {after} of 4 ({TIER_NAMES[after]})"
    if after > before:
        return f"Thanks for seeding: you rose to {name} and meet peers sooner now."
    return f"You fell to {name} and meet good peers later now. Keep seeding what you fetched to rise again."
