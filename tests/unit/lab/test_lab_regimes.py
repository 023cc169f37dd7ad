import numpy as np
import pytest

from etracker_shared.agreements.policies import PolicyName
from lab.histories import shares_of
from lab.regimes import BEHAVIOUR_SHARES, MEGABIT, REGIMES, Behaviour, draw_population


@pytest.mark.parametrize("name", REGIMES)
def test_a_population_has_the_size_and_shares_of_its_regime(name: str) -> None:
    regime = REGIMES[name]
    population = draw_population(regime, 1)
    leechers = regime.swarms * regime.leechers
    counts = np.bincount(population.behaviour, minlength=len(Behaviour))
    assert counts[Behaviour.SEED] == regime.swarms * regime.seeders
    for kind, share in BEHAVIOUR_SHARES.items():
        assert abs(counts[kind] - share * leechers) <= 1
    assert (np.bincount(population.torrent) == regime.seeders + regime.leechers).all()


def test_the_same_seed_draws_the_same_people() -> None:
    one, same, other = (draw_population(REGIMES["poor"], seed) for seed in (1, 1, 2))
    assert (one.arrival == same.arrival).all()
    assert (one.up == same.up).all()
    assert (one.arrival != other.arrival).any()


def test_free_riders_have_the_lines_of_contributors_but_use_a_tenth() -> None:
    people = [draw_population(REGIMES["flash"], seed) for seed in range(10)]
    free = np.concatenate([p.up[p.behaviour == Behaviour.FREE_RIDER] for p in people])
    kept = np.concatenate([p.up[p.behaviour == Behaviour.ALTRUIST] for p in people])
    assert 10 * np.exp(np.log(free).mean()) == pytest.approx(np.exp(np.log(kept).mean()), rel=0.05)


def test_seeders_of_the_poor_regime_have_10_megabit_and_every_swarm_one_that_can_be_dialled() -> None:
    poor, tiny = draw_population(REGIMES["poor"], 3), draw_population(REGIMES["tiny"], 3)
    assert (poor.up[:6] == 10 * MEGABIT).all()
    reachable_seeders = tiny.torrent[(tiny.behaviour == Behaviour.SEED) & tiny.reachable]
    assert set(reachable_seeders.tolist()) == set(range(24))


@pytest.mark.parametrize("policy", [PolicyName.ANNOUNCES, PolicyName.SEEDS, PolicyName.GOOD_SEEDS])
def test_list_policies_grant_seeders_more_than_free_riders(policy: PolicyName) -> None:
    population = draw_population(REGIMES["rich"], 1)
    shares = shares_of(policy, population)
    assert (
        shares[population.behaviour == Behaviour.SEED].min()
        >= shares[population.behaviour == Behaviour.WHITEWASHER].max()
    )


def test_ratio_withholds_from_those_who_stopped_seeding_only() -> None:
    population = draw_population(REGIMES["rich"], 1)
    shares = shares_of(PolicyName.RATIO, population)
    assert shares[population.behaviour == Behaviour.FREE_RIDER].min() > 0.9
    assert shares[population.behaviour == Behaviour.NEWCOMER].max() == 0.0
