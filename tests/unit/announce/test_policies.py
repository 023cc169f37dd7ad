import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etracker_announce.domain.policies import (
    POLICIES,
    Asker,
    Question,
    configured_policy,
    equilibrium,
    list_policies,
)
from etracker_announce.domain.policies.equilibrium import EquilibriumParameters
from etracker_announce.domain.policies.equilibrium.parameters import seeders_guaranteed
from etracker_announce.domain.policies.pair_hashes import pair_hashes
from etracker_announce.domain.swarm import RECORD, PeerFlag, Records, Role
from etracker_shared.agreements.policies import PolicyName

NOW = 1_750_000_000
LENGTH = 6 * 10**9
TAU = equilibrium.tau_of(LENGTH, equilibrium.DEFAULTS)
EVERYBODY = 10_000
FEWEST = equilibrium.DEFAULTS.fewest


def make_swarm(seeders: int, leechers: int, seed: int) -> Records:
    """Peers of all tiers that joined within the last five tau and just announced; ``identity`` is the place."""
    rng = np.random.default_rng(seed)
    records = np.zeros(seeders + leechers, RECORD)
    records["identity"] = np.arange(len(records))
    records["pair_hash"] = rng.integers(0, 2**32, len(records), dtype=np.uint64)
    records["tier"] = rng.integers(0, 5, len(records))
    records["first_seen"] = NOW - rng.integers(0, int(5 * TAU), len(records))
    records["seen4"] = NOW
    records["flags"][:seeders] = PeerFlag.SEEDER
    return records


def asked_by(records: Records, place: int, *, later: float = 0.0, numwant: int = EVERYBODY) -> Question:
    record = records[place]
    role = Role.SEEDER if record["flags"] & PeerFlag.SEEDER else Role.LEECHER
    asker = Asker(place, int(record["pair_hash"]), int(record["tier"]), role, int(record["first_seen"]), share=7.0)
    return Question(asker, numwant, LENGTH, seed=77, now=int(NOW + later))


def candidates_of(records: Records, place: int) -> Records:
    others: Records = records.take((records["identity"] != place).nonzero()[0])
    return others


def introduced(records: Records, place: int, *, later: float = 0.0) -> set[int]:
    """Return whom a peer is given if all announce again some seconds later."""
    records = records.copy()
    records["seen4"] += int(later)
    chosen = equilibrium.choose(asked_by(records, place, later=later), candidates_of(records, place))
    return set(chosen["identity"].tolist())


SWARMS = st.builds(make_swarm, st.integers(0, 45), st.integers(0, 45), st.integers(0, 2**32)).filter(len)


@pytest.mark.parametrize("policy", POLICIES)
@given(records=SWARMS, numwant=st.integers(0, 60), draw=st.data())
def test_chosen_peers_are_distinct_candidates_and_no_more_than_asked_for(
    policy: PolicyName, records: Records, numwant: int, draw: st.DataObject
) -> None:
    place = draw.draw(st.integers(0, len(records) - 1))
    chosen = POLICIES[policy].choose(asked_by(records, place, numwant=numwant), candidates_of(records, place))
    identities = chosen["identity"].tolist()
    assert len(identities) <= numwant
    assert len(set(identities)) == len(identities)
    assert set(identities) <= set(range(len(records))) - {place}
    assert all(bytes(peer) == bytes(records[int(peer["identity"])]) for peer in chosen)


@pytest.mark.parametrize("policy", POLICIES)
@given(records=SWARMS, seed=st.integers(0, 2**32 - 1))
def test_every_replica_chooses_the_same_whatever_the_order_of_the_candidates(
    policy: PolicyName, records: Records, seed: int
) -> None:
    question, candidates = asked_by(records, 0, numwant=10), candidates_of(records, 0)
    shuffled = candidates[np.random.default_rng(seed).permutation(len(candidates))]
    chosen = POLICIES[policy].choose(question, candidates)["identity"]
    assert set(chosen.tolist()) == set(POLICIES[policy].choose(question, shuffled)["identity"].tolist())


@pytest.mark.promise(18)
@settings(deadline=None)
@given(SWARMS)
def test_equilibrium_introduces_two_peers_to_each_other_or_not_at_all(records: Records) -> None:
    lists = [introduced(records, place) for place in range(len(records))]
    for place, peers in enumerate(lists):
        # Only a list that would be too short is filled up one-sidedly.
        if records[place]["flags"] & PeerFlag.SEEDER or len(peers) > FEWEST:
            assert all(place in lists[other] for other in peers)


@pytest.mark.promise(14)
@settings(deadline=None)
@given(SWARMS, st.floats(0, 4), st.floats(0, 4))
def test_equilibrium_only_ever_adds_peers_while_nobody_joins_or_leaves(
    records: Records, first: float, further: float
) -> None:
    for place in range(0, len(records), 7):
        early = introduced(records, place, later=first * TAU)
        if records[place]["flags"] & PeerFlag.SEEDER or len(early) > FEWEST:
            assert early <= introduced(records, place, later=(first + further) * TAU)


@settings(deadline=None)
@given(SWARMS)
def test_equilibrium_restricts_nobody_after_four_tau(records: Records) -> None:
    records["first_seen"] = NOW
    others = set(range(len(records)))
    for place in range(0, len(records), 7):
        wanted = {p for p in others if not records[p]["flags"] & records[place]["flags"] & PeerFlag.SEEDER} - {place}
        assert introduced(records, place, later=4 * TAU + 1) == wanted


@settings(deadline=None)
@given(SWARMS)
def test_equilibrium_gives_a_leecher_the_shortest_list_there_can_be_at_least(records: Records) -> None:
    for place in np.flatnonzero(records["flags"] == 0)[::5].tolist():
        assert len(introduced(records, place)) >= min(FEWEST, len(records) - 1)


@pytest.mark.parametrize(("leechers", "factor"), [(0, 1.0), (30, 1.0), (60, 2.0), (105, 3.5), (100_000, 3.5)])
def test_in_a_crowd_tau_is_longer_and_fewer_seeders_are_guaranteed(leechers: int, factor: float) -> None:
    parameters = equilibrium.DEFAULTS
    assert equilibrium.tau_of(10**9, parameters, leechers) == pytest.approx(
        factor * equilibrium.tau_of(10**9, parameters)
    )
    assert equilibrium.tau_of(None, parameters, leechers) == pytest.approx(factor * 1800)
    assert equilibrium.tau_of(10**12, parameters, leechers) == 7200
    assert seeders_guaranteed(parameters, 0, 40, leechers) == math.ceil(3 / factor)
    assert seeders_guaranteed(parameters, 4, 40, leechers) == 40


def just_joined(seeders: int, tier: int, seed: int = 5) -> Records:
    records = make_swarm(seeders, 1, seed)
    records["tier"][:seeders] = 4
    records["tier"][seeders:] = tier
    records["first_seen"] = NOW
    return records


@pytest.mark.parametrize("seeders", [3, 40, 200])
def test_equilibrium_shows_a_long_term_seeder_every_seeder_at_once(seeders: int) -> None:
    assert len(introduced(just_joined(seeders, 4), seeders)) == seeders


@pytest.mark.parametrize("tier", [0, 1, 2, 3])
def test_equilibrium_shows_lower_tiers_the_seeders_they_are_guaranteed_and_few_more(tier: int) -> None:
    found = [len(introduced(just_joined(40, tier, seed), 40)) for seed in range(40)]
    guaranteed = equilibrium.DEFAULTS.seeders[tier]
    assert guaranteed is not None
    wanted = max(guaranteed, math.ceil(equilibrium.DEFAULTS.seeders_share * 40))
    assert min(found) >= wanted
    assert np.mean(found) < max(FEWEST, wanted) + 40 * equilibrium.DEFAULTS.phi ** sum(
        equilibrium.DEFAULTS.steps[tier:]
    )


def test_equilibrium_guarantees_as_many_of_many_seeders_as_of_forty_and_from_both_ends() -> None:
    seeders, found = 400, []
    for seed in range(30):
        records = just_joined(seeders, 0, seed)
        shown = introduced(records, seeders)
        found.append(len(shown))
        # A list that would be too short is filled up one-sidedly.
        for place in (*sorted(shown)[:3], *range(0, seeders, 80)) if len(shown) > FEWEST else ():
            question = asked_by(records, place)._replace(seeders=seeders)
            asked = equilibrium.choose(question, records[seeders:])["identity"].tolist()
            assert (place in shown) == (seeders in asked)
    guaranteed = math.ceil(equilibrium.DEFAULTS.seeders_share * 40)
    assert guaranteed - 1 < np.mean(found) < guaranteed + 1


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_pair_has_one_hash_whoever_asks(one: int, other: int) -> None:
    def hashed(asker: int, peer: int) -> float:
        others: npt.NDArray[np.uint64] = np.array([peer], np.uint64)
        return float(pair_hashes(asker, others)[0])

    assert hashed(one, other) == hashed(other, one)
    assert 0 <= hashed(one, other) < 1


def test_pair_hashes_are_spread_evenly() -> None:
    others = np.random.default_rng(1).integers(0, 2**32, 100_000, dtype=np.uint32)
    counts, _edges = np.histogram(pair_hashes(12345, others), bins=20, range=(0, 1))
    assert abs(counts - 5000).max() < 350


def test_a_candidate_that_was_not_there_has_not_waited() -> None:
    """The kind of fault: seeders are sent to a leecher that announced once and went away."""
    records = just_joined(40, 0)
    for place in range(40):
        question = asked_by(records, place, later=10 * TAU)
        asked = equilibrium.choose(question, candidates_of(records, place))["identity"].tolist()
        assert asked == equilibrium.choose(asked_by(records, place), candidates_of(records, place))["identity"].tolist()


@pytest.mark.promise(18)
def test_seeders_are_never_given_seeders() -> None:
    records = make_swarm(20, 20, 3)
    assert introduced(records, 0) <= set(range(20, 40))


def test_a_seeder_that_isnt_shown_its_many_rivals_chooses_as_if_it_were() -> None:
    records = make_swarm(60, 30, 4)
    records["first_seen"] = NOW
    for place in range(0, 60, 7):
        question = asked_by(records, place)
        leechers: Records = records.take((records["flags"] == 0).nonzero()[0])
        counted = equilibrium.choose(question._replace(seeders=60), leechers)
        assert set(counted["identity"].tolist()) == introduced(records, place)


@pytest.mark.promise(14)
def test_the_interval_follows_tau_while_a_list_is_restricted() -> None:
    records = just_joined(3, 0)
    question = asked_by(records, 3)
    assert equilibrium.interval(question) == min(1800, int(TAU))
    assert equilibrium.interval(question._replace(torrent_length=10**8)) == 300
    assert equilibrium.interval(question._replace(torrent_length=None)) == 1800
    assert equilibrium.interval(question._replace(now=int(NOW + 4 * TAU + 1))) is None
    crowded = question._replace(leechers=5000)
    assert equilibrium.interval(crowded) == equilibrium.interval(question)
    assert equilibrium.interval(crowded._replace(now=int(NOW + 4 * TAU + 1))) is not None
    assert equilibrium.interval(crowded._replace(now=int(NOW + 14 * TAU + 1))) is None
    assert equilibrium.interval(asked_by(just_joined(3, 4), 3)) is None
    assert equilibrium.interval(asked_by(records, 0)) is None


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"phi": 0.0}, "phi must be more than 0"),
        ({"pace": 0.0}, "pace and tau_unknown"),
        ({"seeders_share": 1.5}, "seeders_share"),
        ({"tau_bounds": (60.0, 30.0)}, "must be more than 0, the smaller one first"),
        ({"fewest": 0}, "at least 1"),
        ({"steps": (1.0, 1.0, -0.5, 1.0)}, "steps"),
        ({"steps": (1.0, math.inf, 1.0, 1.0)}, "steps"),
        ({"crowd": 0}, "crowd and largest_crowd"),
        ({"crowd": 400}, "crowd and largest_crowd"),
        ({"exact_up_to": 41}, "exact_up_to"),
        ({"pace": math.inf}, "finite"),
        ({"tau_unknown": math.inf}, "finite"),
        ({"idle_pace": 0.0}, "idle_pace must be more than 0"),
        ({"waiting_torrents": 0}, "waiting_torrents at least 1"),
        ({"tau_unknown": math.nan}, "finite"),
        ({"tau_bounds": (120.0, math.inf)}, "finite"),
        ({"seeders": (None, 1, 1, 1, 1)}, "a higher tier must not be guaranteed fewer seeders"),
    ],
)
def test_a_parameter_of_equilibrium_that_makes_no_sense_is_refused(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        EquilibriumParameters(**wrong)  # type: ignore[arg-type]


def test_list_policies_give_one_peer_more_than_what_is_counted() -> None:
    records = make_swarm(30, 30, 1)
    assert len(list_policies.choose_one_more_each(asked_by(records, 0), candidates_of(records, 0))) == 8
    assert len(list_policies.choose_one_more_each(asked_by(records, 0, numwant=3), candidates_of(records, 0))) == 3


def test_good_seeds_gives_five_to_who_seeds_nothing_and_all_to_a_good_seeder() -> None:
    lengths = [list_policies.length_by_good_seeding(50, share) for share in (0.0, 0.5, 1.0, 10.0)]
    assert lengths == [5, 46, 50, 50]
    assert [list_policies.length_by_good_seeding(numwant, 0.0) for numwant in (0, 3, 5, 6)] == [0, 3, 5, 5]


@pytest.mark.parametrize("interval", [300, 1800])
def test_tiers_opens_one_tier_more_with_every_interval_however_often_it_is_asked(interval: int) -> None:
    choose = configured_policy(PolicyName.TIERS, EquilibriumParameters(), interval).choose
    records = make_swarm(0, 200, 1)
    records["tier"][0], records["first_seen"][0] = 1, NOW
    for intervals in range(4):
        for later in (intervals * interval, (intervals + 0.5) * interval, (intervals + 1) * interval - 1):
            question = asked_by(records, 0, later=later)
            assert choose(question, candidates_of(records, 0))["tier"].max() == 1 + intervals
