"""One address and port is one peer, a guest's session is the guest's, and one address can't swamp a swarm.

The kinds of fault: ghosts of clients that came back under another name, strangers that speak for a guest, crowds.
"""

from collections import Counter
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from etracker_announce.adapters.swarms import RedisSwarms
from etracker_announce.domain.swarm import RECORD, PeerFlag, Records, Role, Step
from etracker_shared.agreements import redis_keys
from tests.contract.swarms.machines import SwarmMachine, run_machine
from tests.contract.swarms.peers import (
    HASH,
    LIFETIME,
    NOW,
    PEERS_PER_ADDRESS,
    PEERS_PER_KEY,
    ids,
    ipv4,
    ipv6,
    join_all,
    peer_id_of,
    peer_ids,
    step,
)
from tests.contract.swarms.tables import Tables
from tests.support.redis import RedisServer

HOME = [ipv4(1), ipv6(1)]

Place = tuple[int, int, bool]
"""Host, port and whether over IPv6."""


def guest(number: int, instance: int, **changes: Any) -> Step:
    """Make a step of a guest: it is somebody of its own under each number."""
    return step(100 + number, instance, **({"flags": PeerFlag.GUEST} | changes))


@pytest.mark.parametrize("endpoint", HOME)
@pytest.mark.parametrize("who", [step, guest])
async def test_a_client_that_comes_back_under_another_peer_id_is_one_peer(
    swarms: RedisSwarms, tables: Tables, who: Any, endpoint: bytes
) -> None:
    numbers = range(1, 5) if who is guest else [1] * 4
    for instance, number in enumerate(numbers):
        view = await swarms.announce(who(number, instance, at=instance, endpoint=endpoint, role=Role.SEEDER), None)
        assert (view.counts.seeders, view.first_seen) == (1, NOW)
    assert peer_ids(await swarms.announce(step(9, 99), None)) == ids([3, 99])
    tables.check(HASH)


async def test_a_client_that_crashes_again_and_again_evicts_none_of_its_owners_other_clients(
    swarms: RedisSwarms,
) -> None:
    await swarms.announce(step(1, 1), None)
    for instance in range(10, 20):
        await swarms.announce(step(1, instance, endpoint=ipv4(2)), None)
    assert peer_ids(await swarms.announce(step(9, 99), None)) == ids([1, 19, 99])


async def test_a_client_that_takes_a_key_or_another_one_is_one_peer(swarms: RedisSwarms, tables: Tables) -> None:
    await swarms.announce(guest(1, 1), None)
    assert (await swarms.announce(step(1, 2, endpoint=ipv4(1)), None)).counts.leechers == 1
    assert (await swarms.announce(step(2, 2, endpoint=ipv4(1)), None)).counts.leechers == 1
    assert (await swarms.announce(guest(3, 2, endpoint=ipv4(1)), None)).counts.leechers == 1
    tables.check(HASH)


async def test_of_two_keys_at_one_endpoint_the_last_to_announce_is_introduced(
    swarms: RedisSwarms, tables: Tables
) -> None:
    for key, other in ((1, 2), (2, 1), (1, 2)):
        view = await swarms.announce(step(key, key, endpoint=ipv4(5)), None)
        reachable = {
            bytes(record["peer_id"]) for record in view.candidates if not record["flags"] & PeerFlag.UNREACHABLE
        }
        assert reachable == ids([key])
        assert view.counts.leechers <= 2
        assert peer_id_of(other) not in reachable
    tables.check(HASH)


async def test_a_stranger_that_knows_a_guests_peer_id_neither_ends_nor_moves_it(
    swarms: RedisSwarms, tables: Tables
) -> None:
    await swarms.announce(guest(1, 1, role=Role.SEEDER), None)
    for stopped in (True, False):
        await swarms.announce(guest(2, 1, endpoint=ipv4(66), stopped=stopped), None)
    records = tables.seeders(HASH)
    assert [bytes(record["endpoint4"]) for record in records] == [ipv4(1)]
    view = await swarms.announce(step(9, 99), None)
    assert (view.counts.seeders, view.counts.leechers) == (1, 2)


@pytest.mark.parametrize("who", [guest(2, 7, endpoint=ipv4(1)), step(2, 7, endpoint=ipv4(1))], ids=["guest", "key"])
async def test_a_guest_is_ended_from_its_own_endpoint_whatever_it_is_called(swarms: RedisSwarms, who: Step) -> None:
    await swarms.announce(guest(1, 1), None)
    assert (await swarms.announce(who._replace(stopped=True), None)).counts.leechers == 0


@pytest.mark.parametrize("who", [step, guest])
async def test_a_late_stopped_doesnt_remove_a_peer_that_joined_after_its_sender(
    swarms: RedisSwarms, tables: Tables, who: Any
) -> None:
    def client(instance: int, **more: Any) -> Step:
        taken: Step = who(1 if who is step else instance, instance, endpoint=ipv4(1), **more)
        return taken

    for instance in (1, 2):
        assert (await swarms.announce(client(instance), None)).counts.leechers == 1
    assert (await swarms.announce(client(1, stopped=True), None)).counts.leechers == 1
    assert (await swarms.announce(client(3, stopped=True), None)).counts.leechers == 0
    tables.check(HASH)


async def test_stopped_at_one_address_leaves_the_client_at_the_other(swarms: RedisSwarms) -> None:
    await swarms.announce(step(1), None)
    await swarms.announce(step(1, endpoint=ipv4(2)), None)
    assert (await swarms.announce(step(1, endpoint=ipv4(1), stopped=True), None)).counts.leechers == 1
    assert (await swarms.announce(step(1, endpoint=ipv4(2), stopped=True), None)).counts.leechers == 0


async def test_stopped_may_say_port_0_or_come_over_the_other_family(swarms: RedisSwarms) -> None:
    for leaving in (ipv4(1, 0), ipv6(1)):
        await swarms.announce(step(1), None)
        assert (await swarms.announce(step(1, endpoint=leaving, stopped=True), None)).counts.leechers == 0


@pytest.mark.parametrize("attackers", [20, 300])
async def test_an_address_has_so_many_peers_and_the_newest_replaces_the_longest_silent(
    swarms: RedisSwarms, tables: Tables, attackers: int
) -> None:
    await join_all(swarms, range(1, 11), role=Role.SEEDER)
    for number in range(attackers):
        attacker = guest(number, 1000 + number, at=number, endpoint=ipv4(77, 2000 + number), role=Role.SEEDER, window=0)
        view = await swarms.announce(attacker, None)
    assert view.counts.seeders == 10 + PEERS_PER_ADDRESS
    found = peer_ids(await swarms.announce(step(99, at=attackers), None))
    newest = range(1000 + attackers - PEERS_PER_ADDRESS, 1000 + attackers)
    assert found == ids([*range(1, 11), *newest, 99])
    tables.check(HASH)


async def test_keys_and_guests_of_an_address_count_together_and_ipv6_by_its_64(swarms: RedisSwarms) -> None:
    for number in range(10):
        await swarms.announce(step(number, endpoint=ipv6(number)), None)
        view = await swarms.announce(guest(number, 500 + number, endpoint=ipv6(1000 + number)), None)
    assert view.counts.leechers == PEERS_PER_ADDRESS
    assert (await swarms.announce(step(50, endpoint=ipv6(1 << 64)), None)).counts.leechers == PEERS_PER_ADDRESS + 1


async def test_peers_that_move_to_one_address_are_limited_there_too(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, range(1, 11))
    for number in range(1, 11):
        view = await swarms.announce(step(number, endpoint=ipv4(77, 2000 + number)), None)
    assert view.counts.leechers == PEERS_PER_ADDRESS
    tables.check(HASH)


async def test_an_address_that_many_share_has_no_limit(swarms: RedisSwarms, tables: Tables) -> None:
    for number in range(1, 41):
        view = await swarms.announce(step(number, endpoint=ipv4(7, 2000 + number), flags=PeerFlag.SHARED4), None)
    assert view.counts.leechers == 40
    again = step(1, 999, endpoint=ipv4(7, 2001), flags=PeerFlag.SHARED4)
    assert (await swarms.announce(again, None)).counts.leechers == 40
    tables.check(HASH)


def everything_in(tables: Tables) -> dict[bytes, bytes]:
    keys = tables.keys()
    return {key: tables.client.dump(key) for key in keys}


async def test_who_only_looks_sees_the_swarm_and_changes_nothing(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, [1, 2])
    before = everything_in(tables)
    view = await swarms.announce(guest(3, 3, looks=True), None)
    assert (peer_ids(view), view.counts.leechers) == (ids([1, 2]), 2)
    assert everything_in(tables) == before


async def test_guests_leave_nothing_behind(swarms: RedisSwarms, tables: Tables) -> None:
    await swarms.announce(guest(1, 1), None)
    await swarms.announce(guest(1, 1, stopped=True), None)
    assert await swarms.sweep(NOW + 10 * LIFETIME) == 1
    assert not tables.client.exists(redis_keys.first_seen(HASH), redis_keys.members(HASH), redis_keys.addresses(HASH))


async def test_a_record_from_before_there_were_addresses_is_indexed_at_its_next_announce(
    swarms: RedisSwarms, tables: Tables
) -> None:
    await swarms.announce(step(1), None)
    flags = int(RECORD.fields["flags"][1]) if RECORD.fields else 0
    tables.client.setrange(redis_keys.leechers(HASH), flags, b"\0")
    tables.client.delete(redis_keys.addresses(HASH))
    await swarms.announce(step(1, at=1), None)
    tables.check(HASH)


async def test_an_endpoint_that_another_key_took_is_not_kept_over_the_other_family(
    swarms: RedisSwarms, tables: Tables
) -> None:
    there = ipv6(1)
    for taken in (step(1, endpoint=there), step(2, endpoint=there), step(1, endpoint=ipv4(1), at=1)):
        await swarms.announce(taken, None)
    standing = [record for record in tables.leechers(HASH) if bytes(record["endpoint6"]) == there]
    assert [bytes(record["peer_id"]) for record in standing] == [step(2).peer_id]
    tables.check(HASH)


class CrowdMachine(SwarmMachine):
    """Few keys, guests and endpoints, so that everybody meets: whatever happens, the tables and their index agree."""

    @rule(
        who=st.integers(0, 5),
        instance=st.integers(0, 7),
        role=st.sampled_from(Role),
        place=st.tuples(st.integers(0, 1), st.integers(1, 6), st.booleans()),
    )
    def announce(self, who: int, instance: int, role: Role, place: Place) -> None:
        _, _, over6 = place
        taken = self.step(who, instance, place, role=role)
        view = self.run(self.swarms.announce(taken, None))
        assert view.counts.seeders + view.counts.leechers + view.counts.partial_seeds == len(self.everybody())
        own = [record for record in self.everybody() if self.endpoint(record, over6) == taken.endpoint]
        assert [bytes(record["peer_id"]) for record in own if not record["flags"] & PeerFlag.UNREACHABLE] == [
            taken.peer_id
        ]

    @rule(
        who=st.integers(0, 5),
        instance=st.integers(0, 7),
        place=st.tuples(st.integers(0, 1), st.integers(0, 6), st.booleans()),
    )
    def stop(self, who: int, instance: int, place: Place) -> None:
        before = len(self.everybody())
        self.run(self.swarms.announce(self.step(who, instance, place, stopped=True), None))
        assert before - 1 <= len(self.everybody()) <= before

    @invariant()
    def tables_agree(self) -> None:
        if not hasattr(self, "swarms"):
            return
        self.tables.check(HASH)
        self.tables.check_totals(HASH)
        everybody = self.everybody()
        assert max(Counter(record["identity"] for record in everybody).values(), default=0) <= PEERS_PER_KEY
        reachable = [record for record in everybody if not record["flags"] & PeerFlag.UNREACHABLE]
        for over6 in (False, True):
            there = [self.endpoint(record, over6) for record in reachable if self.endpoint(record, over6).strip(b"\0")]
            assert len(there) == len(set(there))

    def everybody(self) -> list[Any]:
        tables: tuple[Records, Records] = self.tables.seeders(HASH), self.tables.leechers(HASH)
        return [record for table in tables for record in table]

    @staticmethod
    def endpoint(record: Any, over6: bool) -> bytes:
        return bytes(record["endpoint6" if over6 else "endpoint4"])

    def step(self, who: int, instance: int, place: Place, **changes: Any) -> Step:
        host, port, over6 = place
        endpoint = ipv6(host << 64, port) if over6 else ipv4(host, port)
        make = guest if who > 2 else step
        taken: Step = make(who, instance, at=self.clock, endpoint=endpoint, **changes)
        if host:  # one of the two hosts is in networks that many share
            taken = taken._replace(flags=taken.flags | (PeerFlag.SHARED6 if over6 else PeerFlag.SHARED4))
        return taken


def test_whoever_meets_at_an_endpoint_the_tables_and_their_index_agree(shared_redis: RedisServer) -> None:
    run_machine(CrowdMachine, shared_redis)
