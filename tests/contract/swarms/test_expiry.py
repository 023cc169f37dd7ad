"""Peers that fall silent and swarms nobody announces to any more."""

from etracker_announce.adapters.swarms import RedisSwarms
from etracker_announce.domain.swarm import Role
from etracker_shared.agreements import redis_keys
from tests.contract.swarms.peers import (
    HASH,
    LIFETIME,
    NOW,
    SWEEP,
    ids,
    ipv4,
    ipv6,
    join_all,
    peer_ids,
    record_of,
    step,
)
from tests.contract.swarms.tables import Tables

LATER = LIFETIME + 1
HOUR = 3_600
DAY = 24 * HOUR


async def test_each_announce_drops_the_next_two_if_they_expired(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, range(10))
    counts = []
    for at in range(LATER, LATER + 6):
        counts.append((await swarms.announce(step(4, at=at), None)).counts.leechers)
        tables.check(HASH)
        tables.check_totals(HASH)
    assert counts == [8, 6, 4, 2, 1, 1]


async def test_living_peers_are_never_dropped(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, range(10))
    await join_all(swarms, range(0, 10, 2), at=LIFETIME)
    await join_all(swarms, range(0, 10, 2), at=LATER)
    assert peer_ids(await swarms.announce(step(0, at=LATER), None)) == ids(range(0, 10, 2))
    tables.check(HASH)


async def test_joining_and_finishing_drop_expired_peers_too(swarms: RedisSwarms) -> None:
    await join_all(swarms, range(4))
    view = await swarms.announce(step(9, at=LATER), None)
    assert view.counts.leechers == 3
    await join_all(swarms, range(10, 14), role=Role.SEEDER)
    view = await swarms.announce(step(9, at=LATER, role=Role.SEEDER), None)
    assert view.counts.seeders == 3


async def test_each_endpoint_expires_by_itself(swarms: RedisSwarms, tables: Tables) -> None:
    await swarms.announce(step(1), None)
    await swarms.announce(step(1, at=3_000, endpoint=ipv6(1)), None)
    await join_all(swarms, [2, 3], at=LATER)
    view = await swarms.announce(step(3, at=LATER), None)
    assert peer_ids(view) == ids([1, 2, 3]), "one family lives, so the peer does"
    view = await swarms.announce(step(1, at=LATER, endpoint=ipv6(1)), None)
    assert not view.dual
    record = record_of(view, 1)
    assert (record["seen4"], bytes(record["endpoint4"])) == (0, bytes(6))
    assert bytes(record["endpoint6"]) == ipv6(1)
    view = await swarms.announce(step(1, at=LATER + 1, endpoint=ipv4(1)), None)
    assert view.dual
    tables.check(HASH)


async def test_sweeper_drops_expired_peers_of_a_swarm_and_keeps_the_living(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, range(10))
    await join_all(swarms, range(10, 20), role=Role.SEEDER)
    await join_all(swarms, range(20, 25), role=Role.PARTIAL_SEED)
    await join_all(swarms, [3, 4], at=3_000)
    await join_all(swarms, [13, 14], at=3_000, role=Role.SEEDER)
    await join_all(swarms, [23], at=3_000, role=Role.PARTIAL_SEED)
    assert await swarms.sweep(NOW + LATER) == 1
    counts = tables.counts(HASH)
    assert (counts.seeders, counts.leechers, counts.partial_seeds) == (2, 2, 1)
    tables.check(HASH)
    tables.check_totals(HASH)


async def test_sweeper_visits_a_swarm_once_a_round(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, [1])
    assert await swarms.sweep(NOW + SWEEP - 1) == 0
    assert await swarms.sweep(NOW + SWEEP) == 1
    assert await swarms.sweep(NOW + SWEEP) == 0
    assert tables.client.zscore(redis_keys.due(HASH), HASH) == NOW + 2 * SWEEP


async def test_dead_swarm_leaves_no_key_but_the_ages_of_its_leechers(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, [1, 2, 3])
    await join_all(swarms, [1, 2], at=100, left=900)
    await join_all(swarms, [3], at=100, left=0, role=Role.SEEDER)
    tables.client.hset(redis_keys.members(HASH), redis_keys.SNATCHES_FIELD, 7)
    await swarms.sweep(NOW + LATER + SWEEP)
    assert tables.keys() == {redis_keys.first_seen(HASH), redis_keys.changed(HASH), redis_keys.totals(HASH)}
    assert tables.client.zcard(redis_keys.first_seen(HASH)) == 3
    tables.check_totals(HASH)
    assert tables.client.zscore(redis_keys.changed(HASH), HASH) == NOW + LATER + SWEEP


async def test_swarm_that_all_left_is_deleted(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, [1])
    await swarms.announce(step(1, stopped=True), None)
    await swarms.sweep(NOW + SWEEP)
    assert not tables.client.exists(redis_keys.members(HASH))
    tables.check_totals(HASH)


async def test_snatches_written_to_a_dead_swarm_go_once_it_is_scheduled(swarms: RedisSwarms, tables: Tables) -> None:
    tables.client.hset(redis_keys.members(HASH), redis_keys.SNATCHES_FIELD, 7)
    tables.client.zadd(redis_keys.due(HASH), {HASH: NOW}, nx=True)
    assert await swarms.sweep(NOW) == 1
    assert tables.keys() == set()


async def test_swarm_comes_back_after_it_died(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, [1])
    await swarms.sweep(NOW + LATER + SWEEP)
    await join_all(swarms, [2], at=LATER + SWEEP)
    assert await swarms.sweep(NOW + LATER + 2 * SWEEP) == 1
    tables.check(HASH)
    tables.check_totals(HASH)


async def test_sweeper_visits_every_due_swarm(swarms: RedisSwarms, tables: Tables) -> None:
    for number in range(300):
        await swarms.announce(step(1, info_hash=number.to_bytes(2, "little") + bytes(18)), None)
    assert await swarms.sweep(NOW + LATER + SWEEP) == 300
    assert not tables.client.exists(redis_keys.members(bytes(20)))


async def test_sweeper_takes_a_large_swarm_in_bounded_visits(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, range(450))
    await join_all(swarms, range(450, 950), role=Role.SEEDER)
    await join_all(swarms, range(0, 450, 3), at=LIFETIME)
    await join_all(swarms, range(450, 950, 3), at=LIFETIME, role=Role.SEEDER)
    assert await swarms.sweep(NOW + LATER) >= 5
    tables.check(HASH)
    counts = tables.counts(HASH)
    assert (counts.leechers, counts.seeders) == (150, 167)
