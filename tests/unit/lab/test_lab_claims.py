"""What announcing without uploading earns: the lab takes the tier from the real score."""

import pytest

from etracker_shared.language.tier import Tier
from lab.attacks import CLAIMS, PREVENTED, REFERENCE, Attack, tier_under
from lab.claims import Claim, tier_after
from lab.regimes import LEAVERS, Behaviour


def test_a_day_of_claims_doesnt_lift_a_key_that_owes_for_twenty_snatches() -> None:
    assert tier_after(Claim(torrents=20, days=1.0), snatches=20) is Tier.FREE_RIDER


def test_claims_that_last_for_weeks_and_pay_the_debts_earn_what_seeding_earns() -> None:
    assert tier_after(Claim(torrents=20, days=21.0, pays=True), snatches=20) is Tier.LONG_TERM_SEEDER


@pytest.mark.parametrize("kind", LEAVERS)
def test_attacks_without_claims_leave_a_tier_as_it_is(kind: Behaviour) -> None:
    others = set(Attack) - set(CLAIMS) - {Attack.BURST, Attack.NEWCOMER}
    assert {tier_under(attack, kind, 1) for attack in others} == {1}


def test_an_attack_that_must_not_pay_is_held_against_one_that_is_played_too() -> None:
    assert set(REFERENCE) <= set(PREVENTED)
    assert not set(REFERENCE.values()) & set(PREVENTED)
