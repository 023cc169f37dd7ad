"""Pasts that earn a tier, for measurements and tests in which keys need a certain tier from the start."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Past:
    """What scoring stores about a key: the current sums of its score, its snatches and its tier."""

    tier: int
    snatched: int
    recent: float
    average: float
    length_days: float
    owed: float
    paid: float
    stained: bool = False

    def row(self) -> dict[str, Any]:
        """Return the columns of ``peers`` that store it."""
        now = datetime.now(UTC)
        return {
            "tier": self.tier,
            "snatched": self.snatched,
            "score_time": now,
            "score_recent": self.recent,
            "score_average": self.average,
            "score_length_days": self.length_days,
            "score_owed": self.owed,
            "score_paid": self.paid,
            "origin_time": now,
            "stained": self.stained,
        }


PASTS = (
    Past(0, snatched=6, recent=0.0, average=0.0, length_days=0.1, owed=6.0, paid=0.0),
    Past(1, snatched=4, recent=0.2, average=0.2, length_days=1.0, owed=4.0, paid=3.0),
    Past(2, snatched=6, recent=2.0, average=2.0, length_days=5.0, owed=6.0, paid=6.0),
    Past(3, snatched=8, recent=6.0, average=5.0, length_days=12.0, owed=8.0, paid=8.0),
    Past(4, snatched=10, recent=30.0, average=30.0, length_days=60.0, owed=10.0, paid=10.0),
)
"""By tier: a user who leaves after every download, a new user, and three users who seed increasingly long."""
