"""What the state machines of the swarms have in common: a Redis, a clock, and the sweeper."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from etracker_announce.adapters.swarms import RedisSwarms
from tests.contract.swarms.peers import LIFETIME, connect, step
from tests.contract.swarms.tables import Tables
from tests.support.redis import RedisServer


class SwarmMachine(RuleBasedStateMachine):
    """Steps and sweeps of one swarm, while time passes."""

    server: RedisServer

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
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

    @rule(seconds=st.integers(1, LIFETIME // 2))
    def wait(self, seconds: int) -> None:
        self.clock += seconds

    @rule()
    def sweep(self) -> None:
        self.clock += LIFETIME // 4
        self.run(self.swarms.sweep(step(0, at=self.clock).now))

    def teardown(self) -> None:
        if hasattr(self, "swarms"):
            self.run(self.connected.__aexit__(None, None, None))
            self.client.close()
        self.loop.close()


def run_machine(machine: type[SwarmMachine], server: RedisServer) -> None:
    """Try many sequences of a machine's rules on a server."""
    on_server = type(machine.__name__, (machine,), {"server": server})
    limits = settings(max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(on_server, settings=limits)
