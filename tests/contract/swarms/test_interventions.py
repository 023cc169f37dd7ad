"""Laws of what is said and given to offenders and to others, whatever happens in which order.

The kind: an address that reaches somebody who never got it, and failures that pile up. Keys and guests, IPv4 and IPv6,
both halves of a hybrid torrent, rotated keys, crowded addresses, two replicas, and a Redis that loses everything.
"""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contract.swarms.interventions import Interventions, made_on
from tests.support.redis import RedisServer


def _run(server: RedisServer, examples: int, steps: int) -> None:
    limits = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(made_on(server), settings=limits)


@pytest.mark.promise(35, 36)
def test_the_laws_hold_whatever_happens(shared_redis: RedisServer) -> None:
    _run(shared_redis, examples=3, steps=20)


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.promise(35, 36)
def test_the_laws_hold_whatever_happens_in_many_orders(shared_redis: RedisServer) -> None:
    _run(shared_redis, examples=60, steps=40)


@pytest.mark.promise(36)
@pytest.mark.parametrize(("offender", "family"), [(0, 4), (1, 6)], ids=["a key", "a guest"])
def test_all_recipients_are_warned_and_each_fails_once(shared_redis: RedisServer, offender: int, family: int) -> None:
    """The machine meets what its laws are about: keys and a guest as recipients, over both address families."""
    machine = made_on(shared_redis)()
    machine.begin()
    try:
        present(machine, offender, family)
        machine.suspect(offender, confirmed=False, sizes=2.0)
        for who in (2, 3, 4):
            present(machine, who, family)
        machine.suspect(offender, confirmed=True, sizes=2.0)
        for _ in range(4):
            machine.a_busy_minute(seeders=True, family=family)
        assert machine.failures_seen == 3
        assert machine.warnings_seen >= 3
    finally:
        machine.teardown()


def present(machine: Interventions, who: int, family: int) -> None:
    machine.announce(who=who, instance=0, half=0, family=family, left=5, event=b"", replica=0, moved=False)
