"""Whom an asker is introduced to: laws that hold under every policy."""

from ipaddress import ip_address

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etracker_announce.domain.addresses import PrivatePeers, is_private
from etracker_announce.domain.candidates import (
    FAMILY4,
    FAMILY6,
    Family,
    Visibility,
    endpoints,
    introducible,
    seen_from_outside,
    sees_private,
)
from etracker_announce.domain.policies import POLICIES, Asker, Question
from etracker_announce.domain.swarm import RECORD, PeerFlag, Records, Role
from etracker_shared.agreements.policies import PolicyName

EXTERNAL = {
    FAMILY4.endpoint: st.just(ip_address("203.0.113.5").packed),
    FAMILY6.endpoint: st.just(ip_address("2001:db8::5").packed),
}
OLDEST = 1000
ASKER = 7


@st.composite
def swarms(draw: st.DrawFn) -> Records:
    """Up to 80 candidates, some of the asker's key, expired, unreachable or private."""
    size = draw(st.integers(0, 80))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    array = np.frombuffer(rng.bytes(size * RECORD.itemsize), dtype=RECORD).copy()
    array["identity"] = rng.integers(ASKER - 1, ASKER + 6, size)
    array["seen4"] = rng.integers(OLDEST - 2, OLDEST + 3, size)
    array["seen6"] = rng.integers(OLDEST - 2, OLDEST + 3, size)
    array["flags"] = rng.choice([0, 1, 4, 5, 8, 9, 12], size)
    array["tier"] = rng.integers(0, 5, size)
    array["first_seen"] = rng.integers(0, OLDEST, size)
    for record in array[rng.random(size) < 0.3]:
        record["endpoint4"] = b"\x0a" + bytes(5)
    return array


visibilities = st.builds(
    Visibility,
    identity=st.just(ASKER),
    families=st.sampled_from([(FAMILY4,), (FAMILY6,), (FAMILY4, FAMILY6), (FAMILY6, FAMILY4)]),
    oldest_seen=st.just(OLDEST),
    private_addresses=st.booleans(),
    external=st.fixed_dictionaries({}, optional=EXTERNAL),
)


def question(numwant: int, *, share: float = 0.0, seed: int = 1, role: Role = Role.LEECHER) -> Question:
    asker = Asker(identity=ASKER, pair_hash=1, tier=2, role=role, first_seen=0, share=share)
    return Question(asker, numwant, torrent_length=None, seed=seed, now=OLDEST + 60)


def may_be_seen(record: np.void, family: Family, visibility: Visibility) -> bool:
    """Say by hand what the vectorised code must say."""
    return bool(
        family in visibility.families
        and record["identity"] != ASKER
        and not record["flags"] & PeerFlag.UNREACHABLE
        and record[family.seen] >= OLDEST
        and (
            visibility.private_addresses
            or family.endpoint in visibility.external
            or not is_private(record[family.endpoint].tobytes()[:-2])
        )
    )


@pytest.mark.promise(8, 17, 18, 24)
@given(swarms(), visibilities)
def test_only_live_reachable_others_are_introducible(candidates: Records, visibility: Visibility) -> None:
    kept = introducible(candidates, visibility)
    expected = [record for record in candidates if any(may_be_seen(record, f, visibility) for f in (FAMILY4, FAMILY6))]
    assert [record.tobytes() for record in kept] == [record.tobytes() for record in expected]
    for family in (FAMILY4, FAMILY6):
        listed = endpoints(kept, family, visibility)
        assert len(listed) == sum(may_be_seen(record, family, visibility) for record in kept)


@pytest.mark.promise(24)
@given(swarms(), visibilities)
def test_private_addresses_are_given_out_as_the_public_one(candidates: Records, visibility: Visibility) -> None:
    """Nothing else of a list changes, and each port of that address is in it once."""
    for family in (FAMILY4, FAMILY6):
        listed = endpoints(introducible(candidates, visibility), family, visibility)
        before = listed.tobytes()
        given = [peer.tobytes() for peer in seen_from_outside(listed, family, visibility)[family.endpoint]]
        expected = []
        for peer in listed[family.endpoint]:
            endpoint = peer.tobytes()
            hidden = is_private(endpoint[:-2]) and not visibility.private_addresses
            address = visibility.external.get(family.endpoint, b"") if hidden else endpoint[:-2]
            if not hidden or address + endpoint[-2:] not in expected:
                expected.append(address + endpoint[-2:])
        assert given == expected
        assert listed.tobytes() == before


@pytest.mark.parametrize("policy", sorted(POLICIES))
@settings(max_examples=50)
@given(candidates=swarms(), numwant=st.integers(0, 50), share=st.floats(0, 1), seed=st.integers(0, 2**32 - 1))
def test_chosen_peers_are_some_of_the_candidates_each_once_and_never_more_than_asked(
    policy: PolicyName, candidates: Records, numwant: int, share: float, seed: int
) -> None:
    asked = question(numwant, share=share, seed=seed)
    chosen = POLICIES[policy].choose(asked, candidates)
    assert len(chosen) <= numwant
    offered = [record.tobytes() for record in candidates]
    taken = [record.tobytes() for record in chosen]
    assert len(set(taken)) == len(taken)
    assert set(taken) <= set(offered)
    assert [record.tobytes() for record in POLICIES[policy].choose(asked, candidates)] == taken


@given(candidates=swarms(), numwant=st.integers(0, 50))
def test_random_gives_all_it_has_up_to_numwant(candidates: Records, numwant: int) -> None:
    assert len(POLICIES[PolicyName.RANDOM].choose(question(numwant), candidates)) == min(numwant, len(candidates))


def test_another_interval_shows_others() -> None:
    candidates = np.zeros(60, dtype=RECORD)
    candidates["pair_hash"] = np.random.default_rng(1).integers(0, 2**32, 60)
    shown = [
        frozenset(POLICIES[PolicyName.RANDOM].choose(question(5, seed=seed), candidates)["pair_hash"].tolist())
        for seed in range(20)
    ]
    assert len(set(shown)) > 15
    assert len(frozenset().union(*shown)) > 40


@pytest.mark.parametrize(
    ("numwant", "share", "length"),
    [
        (50, 0.0, 50),
        (50, 0.5, 25),
        (50, 1.0, 5),
        (50, 0.999, 5),
        (50, 0.99, 5),
        (30, 0.25, 23),
        (3, 1.0, 3),
        (0, 0.0, 0),
    ],
)
def test_ratio_withholds_a_share_but_leaves_five(numwant: int, share: float, length: int) -> None:
    """The original's formula: min(N, max(5, N - int(share * N)))."""
    candidates = np.zeros(60, dtype=RECORD)
    assert len(POLICIES[PolicyName.RATIO].choose(question(numwant, share=share), candidates)) == length


@pytest.mark.promise(24)
@pytest.mark.parametrize(
    ("setting", "near", "far"),
    [(PrivatePeers.PRIVATE_ASKERS, True, False), (PrivatePeers.ALWAYS, True, True), (PrivatePeers.NEVER, False, False)],
)
def test_private_addresses_go_where_the_deployment_says(setting: PrivatePeers, near: bool, far: bool) -> None:
    assert sees_private(setting, asker_is_private=True) is near
    assert sees_private(setting, asker_is_private=False) is far


def test_the_offsets_of_endpoints_are_those_of_the_record() -> None:
    assert RECORD.fields is not None
    for family in (FAMILY4, FAMILY6):
        assert RECORD.fields[family.endpoint][1] == family.offset
