"""Any sequence of steps and sweeps against a small model of what can be observed: counts and membership."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from etracker_announce.domain.swarm import Counts, Role
from tests.contract.swarms.machines import SwarmMachine, run_machine
from tests.contract.swarms.peers import (
    HASH,
    LIFETIME,
    PEERS_PER_KEY,
    ipv4,
    ipv6,
    key_of,
    peer_id_of,
    peer_ids,
    step,
)
from tests.support.redis import RedisServer

KEYS = st.integers(0, 5)
INSTANCES = st.integers(0, 3)
ROLES = st.sampled_from(Role)
FAMILIES = st.booleans()


class Peer:
    """What the model knows of one member."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.seen4 = self.seen6 = 0

    @property
    def seen(self) -> int:
        return max(self.seen4, self.seen6)


class ModelMachine(SwarmMachine):
    """Members by (key, instance). Expired ones may be there or not until a sweep has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.members: dict[tuple[int, int], Peer] = {}

    @rule(key=KEYS, instance=INSTANCES, role=ROLES, over6=FAMILIES)
    def announce(self, key: int, instance: int, role: Role, over6: bool) -> None:
        view = self.run(self.swarms.announce(self.step(key, instance, over6, role=role), None))
        self.drop_what_is_gone()
        if (key, instance) not in self.members:
            self.make_room(key)
        peer = self.members.setdefault((key, instance), Peer(role))
        peer.role = role
        if over6:
            peer.seen6 = self.clock
        else:
            peer.seen4 = self.clock
        assert view.counts == self.counts()
        wanted = {name for name, peer in self.members.items() if role is Role.LEECHER or peer.role is Role.LEECHER}
        assert peer_ids(view) == {self.peer_id(*name) for name in wanted}

    @rule(key=KEYS, instance=INSTANCES, over6=FAMILIES)
    def stop(self, key: int, instance: int, over6: bool) -> None:
        view = self.run(self.swarms.announce(self.step(key, instance, over6, stopped=True), None))
        self.members.pop((key, instance), None)
        assert len(view.candidates) == 0
        assert view.counts == self.counts()

    @precondition(lambda self: self.members)
    @invariant()
    def tables_agree(self) -> None:
        self.drop_what_is_gone()
        self.tables.check(HASH)
        self.tables.check_totals(HASH)
        assert self.run(self.swarms.scrape([HASH]))[0] == self.counts()

    def drop_what_is_gone(self) -> None:
        """Forget the expired members that the swarm has dropped; every living one must still be there."""
        there = {bytes(record["peer_id"]) for record in (*self.tables.seeders(HASH), *self.tables.leechers(HASH))}
        for name, peer in list(self.members.items()):
            if peer.seen < self.clock - LIFETIME and self.peer_id(*name) not in there:
                del self.members[name]

    def make_room(self, key: int) -> None:
        own = {name: peer for name, peer in self.members.items() if name[0] == key}
        if len(own) < PEERS_PER_KEY:
            return
        there = {bytes(record["peer_id"]) for record in (*self.tables.seeders(HASH), *self.tables.leechers(HASH))}
        (victim,) = (name for name in own if self.peer_id(*name) not in there)
        assert own[victim].seen == min(peer.seen for peer in own.values())
        del self.members[victim]

    def step(self, key: int, instance: int, over6: bool, **changes: Any) -> Any:
        host = key * 10 + instance
        endpoint = ipv6(host << 64) if over6 else ipv4(host)
        return step(key, at=self.clock, endpoint=endpoint, peer_id=self.peer_id(key, instance), **changes)

    def peer_id(self, key: int, instance: int) -> bytes:
        return peer_id_of(key * 10 + instance)

    def counts(self) -> Counts:
        roles = [peer.role for peer in self.members.values()]
        return Counts(roles.count(Role.SEEDER), roles.count(Role.LEECHER), roles.count(Role.PARTIAL_SEED), None)


def test_any_sequence_of_steps_leaves_the_swarm_that_the_model_says(shared_redis: RedisServer) -> None:
    assert key_of(0) != key_of(1)
    run_machine(ModelMachine, shared_redis)
