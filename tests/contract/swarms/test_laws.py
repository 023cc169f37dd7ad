"""Any sequence of steps and sweeps against a small model of what can be observed: counts and membership."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from etracker_announce.adapters.swarms import RedisSwarms
from etracker_announce.domain.swarm import Counts, Role
from tests.contract.swarms.peers import (
    HASH,
    LIFETIME,
    PEERS_PER_KEY,
    connect,
    ipv4,
    ipv6,
    key_of,
    peer_id_of,
    peer_ids,
    step,
)
from tests.contract.swarms.tables import Tables
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


class SwarmMachine(RuleBasedStateMachine):
    """Members by (key, instance). Expired ones may be there or not until a sweep has passed."""

    server: RedisServer

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.members: dict[tuple[int, int], Peer] = {}
        self.clock = 0

    @initialize()
    def begin(self) -> None:
        self.server.flush()
        self.client = redis.Redis(port=self.server.port)
        self.tables = Tables(self.client)
        self.connected = connect(self.server.settings())
        self.swarms: RedisSwarms = self.run(self.connected.__aenter__())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

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

    @rule(seconds=st.integers(1, LIFETIME // 2))
    def wait(self, seconds: int) -> None:
        self.clock += seconds

    @rule()
    def sweep(self) -> None:
        self.clock += LIFETIME // 4
        self.run(self.swarms.sweep(step(0, at=self.clock).now))

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

    def teardown(self) -> None:
        if hasattr(self, "swarms"):
            self.run(self.connected.__aexit__(None, None, None))
            self.client.close()
        self.loop.close()


def test_any_sequence_of_steps_leaves_the_swarm_that_the_model_says(shared_redis: RedisServer) -> None:
    assert key_of(0) != key_of(1)

    class Machine(SwarmMachine):
        server = shared_redis

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
