"""How long tiers take under the rules for scores, and that the page says what the rules say."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_shared.language.tier import Tier
from lab.standing_times import FAKERS, HONEST, NEW_RULES, OLD_RULES, Seeder, days_to, table

PAGE = Path(__file__).parents[3] / "docs" / "standing.md"
MINUTES = 2 / 1440
FLOORS = {Tier.STEADY_SEEDER: NEW_RULES.strong_days, Tier.LONG_TERM_SEEDER: NEW_RULES.long_term_days}

seeders = st.builds(
    Seeder, st.just("anybody"), st.integers(1, 600), st.floats(0.01, 200), st.integers(1, 16), st.booleans()
)


@given(seeders, st.sampled_from(list(FLOORS)))
def test_whoever_took_longer_than_the_days_takes_no_longer_than_before(seeder: Seeder, tier: Tier) -> None:
    before = days_to(tier, seeder, OLD_RULES, bonus_always=True)
    now = days_to(tier, seeder, NEW_RULES)
    assert before is None or (now is not None and now <= max(before, FLOORS[tier]) + MINUTES)


@given(seeders, st.sampled_from(list(FLOORS)))
def test_nobody_is_there_before_the_days(seeder: Seeder, tier: Tier) -> None:
    now = days_to(tier, seeder, NEW_RULES)
    assert now is None or now >= FLOORS[tier]


def test_the_attack_that_took_minutes_takes_days() -> None:
    assert (days_to(Tier.LONG_TERM_SEEDER, FAKERS[-1], OLD_RULES, bonus_always=True) or 0) < 13 / 1440
    now = [days_to(Tier.LONG_TERM_SEEDER, faker, NEW_RULES) for faker in FAKERS]
    assert now == pytest.approx([14.0] * len(FAKERS), abs=MINUTES)


def test_the_page_has_the_table() -> None:
    assert "\n".join(table([*FAKERS, *HONEST])) in PAGE.read_text()
