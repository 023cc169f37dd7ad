"""What list policies get from scoring."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_scoring.domain.policies import History, Policy, withheld_share
from etracker_scoring.domain.standings import GUEST, judge
from etracker_shared.tiers import Sampling, Tier

NOBODY = History(seeding=0, snatched=0, uploaded=0, downloaded=0)


@pytest.mark.parametrize(
    ("history", "share"),
    [
        (NOBODY, 0.0),
        (History(0, 4, 0, 0), 1.0),
        (History(0, 4, 100, 100), 0.5),
        (History(1, 4, 100, 100), 0.375),
        (History(0, 4, 200, 100), 0.0),
        (History(4, 4, 0, 100), 0.0),
        (History(9, 4, 0, 100), 0.0),
    ],
)
def test_ratio_withholds_what_the_formula_says(history: History, share: float) -> None:
    assert withheld_share(history) == pytest.approx(share)


@given(st.builds(History, *(st.integers(0, 2**63 - 1) for _ in range(4))), st.integers(1, 1000))
def test_a_better_history_is_never_withheld_more(history: History, more: int) -> None:
    share = withheld_share(history)
    assert 0 <= withheld_share(history._replace(uploaded=history.uploaded + more)) <= share <= 1
    assert withheld_share(history._replace(seeding=history.seeding + more)) <= share


def test_every_registered_key_is_a_contributor_for_now() -> None:
    standing = judge(NOBODY, Policy.RANDOM)
    assert (standing.registered, standing.tier, standing.sampling) == (True, Tier.CONTRIBUTOR, Sampling.KEY)


def test_a_guest_is_a_free_rider_sampled_by_address_prefix() -> None:
    assert (GUEST.registered, GUEST.tier, GUEST.sampling) == (False, Tier.FREE_RIDER, Sampling.PREFIX)
