from etracker_announce.domain.policies import POLICIES, Policy
from etracker_announce.domain.swarm import PeerFlag, Role
from etracker_shared.agreements.policies import PolicyName
from lab.tracker import NUMWANT, Member, Table, Tracker, identity_of, mixed

GIGABYTE = 10**9


def member(peer: int, *, tier: int = 2, key: int = 0) -> Member:
    return Member(identity_of(peer, key), torrent=0, pair_hash=mixed(peer) >> 32, tier=tier)


def test_a_table_is_dense_whoever_leaves() -> None:
    table = Table()
    for peer in range(40):
        table.put(member(peer), 7, 7, PeerFlag.NONE)
    for peer in range(0, 40, 2):
        table.remove(peer)
    assert sorted(table.windows(100, 0)["identity"].tolist()) == list(range(1, 40, 2))


def test_windows_hold_distinct_records_and_the_seed_fixes_which() -> None:
    table = Table()
    for peer in range(500):
        table.put(member(peer), 7, 7, PeerFlag.NONE)
    for seed in range(0, 2**64, 2**59 + 12345):
        identities = table.windows(300, seed)["identity"].tolist()
        assert len(set(identities)) == 300
        assert identities == table.windows(300, seed)["identity"].tolist()


def crowd(policy: Policy) -> Tracker:
    tracker = Tracker(policy, secret=1)
    for peer in range(60):
        tracker.announce(member(peer), Role.SEEDER if peer < 5 else Role.LEECHER, GIGABYTE, GIGABYTE, 0)
    return tracker


def test_a_leecher_is_told_of_both_kinds_and_a_seeder_of_leechers_only() -> None:
    for name in (PolicyName.RANDOM, PolicyName.EQUILIBRIUM):
        tracker = crowd(POLICIES[name])
        found, _interval = tracker.announce(member(59, tier=4), Role.LEECHER, GIGABYTE, GIGABYTE, 10)
        assert 0 < len(found) <= NUMWANT
        assert 59 not in found
        assert set(found) & set(range(5))
        seen, _interval = tracker.announce(member(0), Role.SEEDER, GIGABYTE, GIGABYTE, 10)
        assert set(seen) <= set(range(5, 60))


def test_who_stops_is_forgotten_and_who_completes_is_a_seeder() -> None:
    tracker = crowd(POLICIES[PolicyName.RANDOM])
    tracker.stop(member(7))
    tracker.announce(member(8), Role.SEEDER, GIGABYTE, 0, 20)
    assert tracker.seeders_of(0) == 6
    found, _interval = tracker.announce(member(0), Role.SEEDER, GIGABYTE, 0, 20)
    assert not {7, 8} & set(found)


def test_several_keys_of_a_peer_lead_to_the_one_peer() -> None:
    tracker = crowd(POLICIES[PolicyName.RANDOM])
    tracker.announce(member(59, key=3), Role.LEECHER, GIGABYTE, GIGABYTE, 0)
    found, _interval = tracker.announce(member(0), Role.SEEDER, GIGABYTE, GIGABYTE, 1)
    assert max(found) < 60
