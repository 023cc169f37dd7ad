"""No network is over-represented in a list, whatever the policy.

The kind of fault: one address, or one network, that fills the lists of a torrent.
"""

import itertools
from collections import Counter
from ipaddress import ip_address

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_announce.domain.diversity import PER_ADDRESS, PER_NETWORK, thin
from etracker_announce.domain.policies import POLICIES, Question, configured_policy
from etracker_announce.domain.policies.equilibrium import EquilibriumParameters
from etracker_announce.domain.policies.question import Asker
from etracker_announce.domain.swarm import RECORD, PeerFlag, Records, Role
from etracker_announce.tracker.choosing import Chooser
from etracker_shared.agreements.policies import PolicyName

NOW = 1_800_000_000
ALL_SHARES = 100.0


def peers_at(*addresses: str) -> Records:
    """Return seeders at some addresses, each with a port of its own."""
    records = np.zeros(len(addresses), RECORD)
    for place, text in enumerate(addresses):
        address = ip_address(text)
        family = "4" if address.version == 4 else "6"
        records[place][f"endpoint{family}"] = np.void(address.packed + (7000 + place).to_bytes(2, "big"))
        records[place][f"seen{family}"] = NOW
    records["identity"] = np.arange(1, len(addresses) + 1)
    records["pair_hash"] = np.random.default_rng(1).integers(0, 2**32, len(addresses))
    records["flags"] = PeerFlag.SEEDER
    return records


def addresses_of(records: Records) -> list[bytes]:
    return [
        record["endpoint4"].tobytes()[:4] if record["seen4"] else record["endpoint6"].tobytes()[:16]
        for record in records
    ]


def networks_of(records: Records) -> list[bytes]:
    return [address[:3] if len(address) == 4 else address[:6] for address in addresses_of(records)]


def most(values: list[bytes]) -> int:
    return max(Counter(values).values(), default=0)


def question(numwant: int) -> Question:
    return Question(Asker(0, 1, 2, Role.LEECHER, NOW - 10**6, ALL_SHARES), numwant, None, 7, NOW)


async def choose(policy: PolicyName, candidates: Records, numwant: int) -> Records:
    configured, asked = configured_policy(policy, EquilibriumParameters(), 1800), question(numwant)
    return await Chooser(configured).choose(asked, candidates, configured.interval(asked))


HONEST = [f"198.51.{number}.7" for number in range(60)]


@pytest.mark.parametrize("policy", sorted(POLICIES))
@pytest.mark.parametrize(
    "crowd",
    [
        ["203.0.113.1"] * 100,
        [f"203.0.113.{host}" for host in range(100)],
        [f"2001:db8:1::{host:x}" for host in range(100)],
    ],
    ids=["one address", "one IPv4 network", "one IPv6 network"],
)
async def test_a_crowd_gets_no_more_than_its_places(policy: PolicyName, crowd: list[str]) -> None:
    chosen = await choose(policy, peers_at(*crowd, *HONEST), 50)
    assert most(addresses_of(chosen)) <= PER_ADDRESS
    assert most(networks_of(chosen)) <= PER_NETWORK


@pytest.mark.parametrize("policy", sorted(POLICIES))
async def test_a_list_is_as_long_as_without_the_limits(policy: PolicyName) -> None:
    few = HONEST[:20]
    candidates = peers_at(*["203.0.113.1"] * 100, *few)
    chosen = await choose(policy, candidates, 50)
    plain = POLICIES[policy].choose(question(50), candidates)
    assert len(chosen) == len(plain)
    wanted = {ip_address(address).packed for address in few}
    assert len(wanted & set(addresses_of(chosen))) >= min(len(few), len(chosen) - PER_ADDRESS)


async def test_a_restricted_list_has_no_more_of_a_crowd_though_all_candidates_would_fit() -> None:
    """A leecher that just joined sees few seeders: an address with many must not be most of them."""
    candidates = peers_at(*["203.0.113.1"] * 16, *HONEST[:20])
    candidates["tier"] = 4
    newcomer = question(50)._replace(asker=Asker(0, 1, 1, Role.LEECHER, NOW, ALL_SHARES))
    policy = configured_policy(PolicyName.EQUILIBRIUM, EquilibriumParameters(), 1800)
    chosen = await Chooser(policy).choose(newcomer, candidates, policy.interval(newcomer))
    assert 0 < len(chosen) < 36
    assert most(addresses_of(chosen)) <= PER_ADDRESS


async def test_a_lan_behind_one_address_meets_whole() -> None:
    assert len(await choose(PolicyName.RANDOM, peers_at(*["192.168.1.9"] * 30), 50)) == 30
    assert len(await choose(PolicyName.RANDOM, peers_at(*["192.168.1.9"] * 70), 50)) == 50


addresses = st.one_of(
    st.builds("203.0.{}.{}".format, st.integers(0, 3), st.integers(1, 3)),
    st.builds("2001:db8:{:x}::{:x}".format, st.integers(0, 3), st.integers(1, 3)),
)


@given(st.lists(addresses, max_size=80), st.integers(0, 2**32 - 1))
def test_what_is_set_aside_is_exactly_what_is_too_much(texts: list[str], seed: int) -> None:
    candidates = peers_at(*texts)
    thinned = thin(candidates, seed)
    if thinned is None:
        assert most(addresses_of(candidates)) <= PER_ADDRESS
        assert most(networks_of(candidates)) <= PER_NETWORK
        return
    together = sorted(itertools.chain(thinned.spread["identity"], thinned.crowd["identity"]))
    assert together == sorted(candidates["identity"])
    assert most(addresses_of(thinned.spread)) <= PER_ADDRESS
    assert most(networks_of(thinned.spread)) <= PER_NETWORK
    for record in thinned.crowd:
        with_it = np.append(thinned.spread, record)
        assert most(addresses_of(with_it)) > PER_ADDRESS or most(networks_of(with_it)) > PER_NETWORK
