"""``python -m lab.standing_times``: how long tiers 3 and 4 take fakers and seeders, under the old and the new rules."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from etracker_scoring.scores.formula import DAY, GIB, NEW_KEY, ScoreParameters
from etracker_scoring.scores.prospects import OwnedTorrent, continued, pace_of
from etracker_scoring.scores.tiers import HeldTier, Origin, assess
from etracker_shared.language.tier import Tier

NEW_RULES = ScoreParameters()
OLD_RULES = ScoreParameters(gibibyte_weight=1.0, largest_total_weight=1e9, strong_days=0.0, long_term_days=0.0)
"""As of before days, bounds and demand counted. The bonus for rarity was given in any case."""

HORIZON_DAYS = 365.0
PRECISION_DAYS = 1 / 1440


class Seeder(NamedTuple):
    """Somebody who seeds a number of equal torrents all the time, or claims to.

    ``seeders``: of each torrent, in different networks. ``wanted``: somebody downloads them all the time.
    """

    name: str
    torrents: int
    gibibytes: float
    seeders: int = 1
    wanted: bool = False


FAKERS = [Seeder(f"only announces: {count:,} x 64 GiB", count, 64) for count in (1, 20, 100, 3000)]
HONEST = [
    Seeder(name, torrents, gibibytes, seeders, wanted)
    for name, torrents, gibibytes in (
        ("seeds 10 x 1 GiB", 10, 1),
        ("seeds 3 x 4 GiB", 3, 4),
        ("seeds 1 x 50 GiB", 1, 50),
        ("seedbox: 500 x 1 GiB", 500, 1),
    )
    for seeders in (1, 4)
    for wanted in (False, True)
]


def days_to(tier: Tier, seeder: Seeder, parameters: ScoreParameters, *, bonus_always: bool = False) -> float | None:
    """Return the days until a new key reaches a tier, None if it takes more than a year."""
    torrent = OwnedTorrent(
        int(seeder.gibibytes * GIB),
        seeder.seeders,
        seeding=True,
        debt_seconds=0.0,
        wanted=seeder.wanted or bonus_always,
    )
    pace = pace_of([torrent] * seeder.torrents, parameters)

    def reached(days: float) -> bool:
        began = 20_000 * DAY
        history = continued(NEW_KEY._replace(at_seconds=began), pace, began, days, parameters)
        held, origin = HeldTier(Tier.LITTLE_HISTORY), Origin(since=began)
        return assess(history, held, origin, began + days * DAY, parameters).held.tier >= tier

    if not reached(HORIZON_DAYS):
        return None
    low, high = 0.0, HORIZON_DAYS
    while high - low > PRECISION_DAYS:
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def table(seeders: Iterable[Seeder]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    yield "| who | seeders | wanted | tier 3 before | tier 3 now | tier 4 before | tier 4 now |"
    yield "|---|---|---|---|---|---|---|"
    for seeder in seeders:
        times = [
            _shown(days)
            for tier in (Tier.STEADY_SEEDER, Tier.LONG_TERM_SEEDER)
            for days in (days_to(tier, seeder, OLD_RULES, bonus_always=True), days_to(tier, seeder, NEW_RULES))
        ]
        wanted = "yes" if seeder.wanted else "no"
        yield f"| {seeder.name} | {seeder.seeders} | {wanted} | {' | '.join(times)} |"


def _shown(days: float | None) -> str:
    if days is None:
        return "never"
    if days < 1 / 24:
        return f"{days * 1440:.0f} min"
    return f"{days * 24:.0f} h" if days < 1 else f"{days:.1f} d"


if __name__ == "__main__":
    print("\n".join(table([*FAKERS, *HONEST])))
