"""A small swarm and its attackers, seen by the policy that is asked."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from etracker_announce.domain.policies import POLICIES, Asker, Question
from etracker_announce.domain.policies.random_peers import choose
from etracker_announce.domain.swarm import Records, Role
from etracker_shared.agreements.policies import PolicyName
from lab.attacks import BEFOREHAND_SECONDS, KEYS_OF_A_BURST, KEYS_OF_AN_ATTACKER, Attack
from lab.community import DAY, PAIRS, PUBLISHERS, TORRENTS, draw_community, play_community
from lab.measures import summarise
from lab.people import Outcome, play
from lab.regimes import LEAVERS, Behaviour, Regime, draw_population
from lab.state import STEP_SECONDS
from lab.tracker import EPOCH

pytestmark = pytest.mark.timeout(600)  # the first one waits for the compiler

SMALL = Regime("small", 1, 4, 20, 600, 10**9)
POPULATION = draw_population(SMALL, 1)
LEAVING = set(np.flatnonzero(np.isin(POPULATION.behaviour, LEAVERS)).tolist())


def attack(attack: Attack) -> tuple[Outcome, dict[int, list[tuple[int, Asker]]]]:
    """Play a run; return what became of it, and by peer when it asked as whom."""
    asked: dict[int, list[tuple[int, Asker]]] = defaultdict(list)

    def listen(question: Question, candidates: Records) -> Records:
        asked[question.asker.identity & 0xFFFFFFFF].append((question.now, question.asker))
        return choose(question, candidates)

    return play(POPULATION, PolicyName.RANDOM, replace(POLICIES[PolicyName.RANDOM], choose=listen), 1, attack), asked


def test_without_an_attack_everybody_has_one_key_and_gets_everything() -> None:
    outcome, asked = attack(Attack.NONE)
    assert all(len({asker.identity for _, asker in asks}) == 1 for asks in asked.values())
    run = summarise(outcome)
    assert run.stranded == 0
    assert set(run.groups) == {kind.name.lower() for kind in Behaviour if kind is not Behaviour.SEED}
    assert run.mean == pytest.approx(outcome.duration[POPULATION.behaviour != Behaviour.SEED].mean())
    assert outcome.announces >= len(POPULATION.behaviour)


def test_the_same_seed_plays_the_same_run() -> None:
    one, same = (attack(Attack.NONE)[0] for _ in range(2))
    assert np.array_equal(one.duration, same.duration, equal_nan=True)


def test_those_who_leave_ask_every_minute_and_nobody_else_does() -> None:
    _outcome, asked = attack(Attack.ASK_EVERY_MINUTE)
    for peer, asks in asked.items():
        pauses = np.diff([now for now, asker in asks if asker.role is Role.LEECHER])
        assert (pauses == 60).all() if peer in LEAVING else (pauses >= 300).all()
    assert sum(len(asked[peer]) for peer in LEAVING) > len(asked)


def test_those_who_leave_open_five_keys_of_one_pair_hash_each() -> None:
    _outcome, asked = attack(Attack.FIVE_KEYS)
    for peer, asks in asked.items():
        assert len({asker.identity for _, asker in asks}) == (KEYS_OF_AN_ATTACKER if peer in LEAVING else 1)
        assert {asker.pair_hash for _, asker in asks} == {int(POPULATION.pair_hash[peer])}


def test_those_who_leave_take_a_new_key_of_the_lowest_tier_each_time() -> None:
    _outcome, asked = attack(Attack.NEW_KEY_EACH_TIME)
    for peer, asks in asked.items():
        identities, tiers = {asker.identity for _, asker in asks}, {asker.tier for _, asker in asks}
        assert len(identities) == (len(asks) if peer in LEAVING else 1)
        assert tiers == ({0} if peer in LEAVING else {int(POPULATION.tier[peer])})


def asked_as(asked: dict[int, list[tuple[int, Asker]]]) -> dict[int, list[Asker]]:
    """Return as whom each of those who leave asked."""
    return {peer: [asker for _, asker in asks] for peer, asks in asked.items() if peer in LEAVING}


def test_of_a_burst_of_keys_only_one_has_the_grace_and_the_others_sample_as_one() -> None:
    for askers in asked_as(attack(Attack.BURST)[1]).values():
        tiers = {asker.identity: asker.tier for asker in askers}
        assert sorted(tiers.values()) == [1] * (KEYS_OF_A_BURST - 1) + [2]
        assert len({asker.pair_hash for asker in askers if asker.tier == 1}) == 1


@pytest.mark.parametrize(("attack_", "share"), [(Attack.JOIN_AND_STOP, 0.0), (Attack.WAIT_BEFOREHAND, 0.25)])
def test_ageing_before_the_download_counts_for_a_quarter_while_present_and_not_while_away(
    attack_: Attack, share: float
) -> None:
    outcome, asked = attack(attack_)
    assert np.isfinite(outcome.duration[list(LEAVING)]).all()
    for peer, asks in asked.items():
        if peer in LEAVING:
            start = EPOCH + POPULATION.arrival[peer] + BEFOREHAND_SECONDS
            now, age = next((now, now - asker.first_seen) for now, asker in asks if now >= start)
            earned = share * BEFOREHAND_SECONDS
            assert earned - STEP_SECONDS <= age <= earned + now - start + STEP_SECONDS


def test_a_leecher_that_always_reports_the_same_waits_at_a_quarter_of_the_pace() -> None:
    _outcome, asked = attack(Attack.NEVER_FINISH)
    slow = max(LEAVING, key=lambda peer: len(asked[peer]))
    (first, _), (last, asker) = asked[slow][0], asked[slow][-1]
    assert last > first
    assert last - asker.first_seen == pytest.approx((last - first) / 4, abs=2)


def test_a_relay_asks_with_one_key_of_the_highest_tier_for_all_who_leave() -> None:
    asked = asked_as(attack(Attack.RELAY)[1])
    accomplices = [asker.identity for askers in asked.values() for asker in askers if asker.tier == 4]
    assert len(set(accomplices)) == 1
    assert len(accomplices) >= len(LEAVING)


def test_peer_exchange_tells_those_who_leave_what_the_policy_withholds() -> None:
    rich = draw_population(Regime("rich", 1, 30, 40, 1800, 4 * 10**9), 2)
    without, with_exchange = (
        summarise(play(rich, PolicyName.EQUILIBRIUM, POLICIES[PolicyName.EQUILIBRIUM], 2, attack)).fr_over_c
        for attack in (Attack.NONE, Attack.PEER_EXCHANGE)
    )
    assert with_exchange < without


def test_a_community_compares_the_snatches_of_both_of_a_pair_and_scores_what_they_do() -> None:
    drawn, pair, wanted = draw_community(1), 7, np.arange(8)
    release = np.full(TORRENTS, 20.0 * DAY)
    release[wanted] = 10.0 * DAY
    when = 11.0 * DAY + wanted * DAY
    community = replace(
        drawn,
        user=np.concatenate([drawn.user[:TORRENTS], np.repeat([PUBLISHERS + pair, PUBLISHERS + PAIRS + pair], 8)]),
        torrent=np.concatenate([drawn.torrent[:TORRENTS], wanted, wanted]),
        arrival=np.concatenate([release, when, when]),
        reachable=np.ones_like(drawn.reachable),
    )
    payoff = play_community(community, POLICIES[PolicyName.RANDOM], 1)
    assert payoff.advantages == [pytest.approx(1.0, abs=0.1)]
    idle = PAIRS - 1
    assert payoff.tiers_of_leavers == [1, 0, idle, 0, 0]
    assert payoff.tiers_of_seeders == [0, 0, idle, 1, 0]
