"""What list policies get from scoring."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_announce.domain.policies import POLICIES as ANNOUNCE_POLICIES
from etracker_announce.domain.policies import Asker, Question
from etracker_announce.domain.swarm import RECORD, Role
from etracker_scoring.api.treatment import Account, guest, judge
from etracker_scoring.scores.formula import DAY, ScoreParameters
from etracker_scoring.scores.keys import Key
from etracker_scoring.scores.list_policies import SHARES, History, good_seeding_of, withheld_share
from etracker_scoring.scores.tiers import HeldTier, Origin
from etracker_scoring.stored.yardsticks import Yardsticks
from etracker_shared.agreements.policies import PolicyName
from etracker_shared.agreements.tiers import Sampling, Treatment
from etracker_shared.language.identity import KeyHash
from etracker_shared.language.tier import Tier

NOW = 20_000 * DAY
PATIENT = ScoreParameters(demotion_margin=100.0)
YARDSTICKS = Yardsticks(PATIENT, good_seeding=9.0)
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


def standing(tier: Tier, policy: PolicyName = PolicyName.RANDOM, history: History = NOBODY) -> Treatment:
    key = Key(1, KeyHash(bytes(16)), held=HeldTier(tier, NOW), origin=Origin(since=NOW - DAY))
    return judge(Account(key, history, None), policy, YARDSTICKS, NOW)


def test_low_tiers_are_sampled_by_address_prefix_and_the_others_by_key() -> None:
    samplings = [standing(tier).sampling for tier in Tier]
    assert samplings == [Sampling.PREFIX] * 2 + [Sampling.KEY] * 3


def test_a_list_policy_gets_its_share_in_its_own_unit_and_the_others_none() -> None:
    history = History(seeding=3, snatched=4, uploaded=100, downloaded=100, announced=7, generous=0.5)
    shares = {policy: standing(Tier.CONTRIBUTOR, policy, history).share for policy in PolicyName}
    assert shares == {
        PolicyName.RANDOM: 0.0,
        PolicyName.ANNOUNCES: 7.0,
        PolicyName.SEEDS: 3.0,
        PolicyName.GOOD_SEEDS: pytest.approx(3 * 1.5 / 9),
        PolicyName.RATIO: pytest.approx(0.125),
        PolicyName.TIERS: 0.0,
        PolicyName.EQUILIBRIUM: 0.0,
    }


@pytest.mark.parametrize(("mean", "deviation", "torrents"), [(2.0, 1.5, 3.5), (0.0, 0.0, 5.0)])
def test_a_good_seeder_seeds_one_deviation_more_than_most_and_five_where_nobody_seeds(
    mean: float, deviation: float, torrents: float
) -> None:
    assert good_seeding_of(mean, deviation) == torrents


def test_policies_bear_the_names_that_announce_knows() -> None:
    assert set(PolicyName) == set(ANNOUNCE_POLICIES)


@pytest.mark.parametrize("policy", PolicyName)
def test_a_guest_is_a_free_rider_sampled_by_address_prefix(policy: PolicyName) -> None:
    told = guest(policy)
    assert (told.registered, told.tier, told.sampling) == (False, Tier.FREE_RIDER, Sampling.PREFIX)


def length_of_list(policy: PolicyName, told: Treatment) -> int:
    asker = Asker(identity=1, pair_hash=1, tier=told.tier, role=Role.LEECHER, first_seen=0, share=told.share)
    question = Question(asker, numwant=50, torrent_length=None, seed=1, now=0)
    return len(ANNOUNCE_POLICIES[policy].choose(question, np.zeros(60, RECORD)))


histories = st.builds(History, *(st.integers(0, 99) for _ in range(5)), st.floats(0, 1))


@pytest.mark.parametrize("policy", SHARES)
@given(history=histories)
def test_nobody_who_has_a_key_gets_a_shorter_list_than_a_guest(policy: PolicyName, history: History) -> None:
    """Registering is always better."""
    shortest = length_of_list(policy, guest(policy))
    assert length_of_list(policy, standing(Tier.LITTLE_HISTORY, policy, history)) >= shortest


def test_under_ratio_a_guest_gets_five_peers_and_a_new_key_as_many_as_it_wants() -> None:
    lists = guest(PolicyName.RATIO), standing(Tier.LITTLE_HISTORY, PolicyName.RATIO)
    assert [length_of_list(PolicyName.RATIO, told) for told in lists] == [5, 50]
