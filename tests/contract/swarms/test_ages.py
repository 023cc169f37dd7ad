"""A leecher's record grows older as the law of presence says, whatever becomes of the record.

The kind of fault: an age that grows while nobody is there, or that is lost or gained on the way from one record to
another.
"""

import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etracker_announce.adapters.swarms import RedisSwarms
from etracker_announce.domain import presence
from etracker_announce.domain.presence import UNKNOWN_LEFT, Pace, Presence
from etracker_announce.domain.swarm import PeerFlag, Role, Step, View
from etracker_shared.agreements import redis_keys
from tests.contract.swarms.peers import HASH, LIFETIME, NOW, PACE, connect, ipv4, ipv6, join_all, key_of, step
from tests.contract.swarms.tables import Tables
from tests.support.redis import RedisServer

HOUR, DAY = 3_600, 86_400
GONE = LIFETIME + 1
OLD_LAYOUT = struct.Struct("<8sQ20sIIIBB6s18s")
"""A record as written by versions that didn't store ages."""


def guest(number: int, **changes: Any) -> Step:
    return step(100 + number, number, **({"flags": PeerFlag.GUEST} | changes))


async def age(swarms: RedisSwarms, taken: Step) -> int:
    """Take a step as a leecher and return the age after it."""
    view: View = await swarms.announce(taken, None)
    return taken.now - view.first_seen


async def stop(swarms: RedisSwarms, key: int, *, at: int, **changes: Any) -> None:
    await swarms.announce(step(key, at=at, stopped=True, window=0, left=UNKNOWN_LEFT, **changes), None)


async def grow_up(swarms: RedisSwarms, key: int = 1, **changes: Any) -> None:
    """Let a leecher reach an age of 1000 seconds at second 1000."""
    await swarms.announce(step(key, **changes), None)
    assert await age(swarms, step(key, at=1_000, left=900, **changes)) == 1_000


async def test_age_grows_with_progress_and_at_a_quarter_of_the_pace_without(swarms: RedisSwarms) -> None:
    lefts = (1_000, 1_000, 999, 1_100, 999, 998)
    ages = [await age(swarms, step(1, at=400 * number, left=left)) for number, left in enumerate(lefts)]
    assert ages == [0, 100, 500, 600, 700, 1_100]


async def test_a_candidate_is_as_old_as_at_its_last_announce(swarms: RedisSwarms, tables: Tables) -> None:
    await swarms.announce(step(1), None)
    await swarms.announce(step(1, at=400), None)
    await swarms.announce(step(2, at=3_000), None)
    record = tables.leechers(HASH)[0]
    assert (int(record["first_seen"]), int(record["seen4"])) == (NOW + 300, NOW + 400)


async def test_a_long_silence_counts_as_the_longest_interval_and_an_expired_peer_not_at_all(
    swarms: RedisSwarms,
) -> None:
    await swarms.announce(step(1), None)
    assert abs(await age(swarms, step(1, at=LIFETIME)) - PACE.longest_gap / 4) < 1
    await swarms.announce(step(2), None)
    assert await age(swarms, step(2, at=GONE, left=900)) == 0


async def test_whoever_asks_for_nobody_does_not_grow_older_unless_it_makes_progress(swarms: RedisSwarms) -> None:
    windows, lefts = (0, 0, 100, 100, 0, 100, 0, 0), (1_000,) * 6 + (990, 980)
    ages = [
        await age(swarms, step(1, at=400 * number, window=window, left=left))
        for number, (window, left) in enumerate(zip(windows, lefts, strict=True))
    ]
    assert ages == [0, 0, 0, 100, 100, 100, 500, 900]


async def test_a_pace_of_nothing_counts_nothing(swarms: RedisSwarms) -> None:
    await swarms.announce(step(1), None)
    assert await age(swarms, step(1, at=400, left=900, pace=Pace(0, 0.25))) == 0


@pytest.mark.parametrize("sweeps", [False, True])
async def test_age_is_kept_as_reached_while_a_key_is_gone(swarms: RedisSwarms, sweeps: bool) -> None:
    await grow_up(swarms)
    if sweeps:
        await swarms.sweep(NOW + 1_000 + GONE)
    else:
        await stop(swarms, 1, at=1_000)
    for back in (7_000, 8_000):
        assert await age(swarms, step(1, instance=back, at=back)) == 1_000
        await stop(swarms, 1, instance=back, at=back)


async def test_presence_until_stopped_counts_at_the_idle_pace(swarms: RedisSwarms) -> None:
    await grow_up(swarms)
    await stop(swarms, 1, at=1_400)
    assert await age(swarms, step(1, at=5_000)) == 1_100


async def test_joining_and_stopping_leaves_no_age(swarms: RedisSwarms, tables: Tables) -> None:
    for at in (0, 1, DAY // 2):
        assert await age(swarms, step(1, at=at)) == 0
        await stop(swarms, 1, at=at)
    assert not tables.client.exists(redis_keys.first_seen(HASH))


async def test_the_age_of_a_departed_key_is_forgotten_within_an_hour_after_a_day(
    swarms: RedisSwarms, tables: Tables
) -> None:
    for key in (1, 2, 3):
        await grow_up(swarms, key)
    await stop(swarms, 1, at=1_000)
    await stop(swarms, 2, at=1_000 + 2 * HOUR)
    assert DAY - 5 <= tables.client.ttl(redis_keys.first_seen(HASH)) <= DAY
    await join_all(swarms, [3], at=DAY + 2 * HOUR)
    assert await swarms.sweep(NOW + DAY + 2 * HOUR) == 1
    assert tables.client.zrange(redis_keys.first_seen(HASH), 0, -1) == [step(2).key_hash[:8]]
    assert await age(swarms, step(1, at=DAY + 2 * HOUR)) == 0
    assert await age(swarms, step(2, at=DAY + 2 * HOUR)) >= 1_000


async def test_an_age_that_waits_for_the_sweeper_is_not_recalled(swarms: RedisSwarms) -> None:
    await grow_up(swarms)
    await stop(swarms, 1, at=1_000)
    assert await age(swarms, step(1, at=1_000 + DAY + HOUR)) == 0


async def test_a_second_client_of_a_key_is_as_old_as_its_oldest(swarms: RedisSwarms) -> None:
    await swarms.announce(step(1, 2), None)
    await grow_up(swarms)
    assert await age(swarms, step(1, 3, at=1_500)) == 1_000
    assert await age(swarms, step(1, 2, at=1_500)) == 375


@pytest.mark.parametrize("endpoint", [ipv4(1), ipv6(1)])
async def test_a_restarted_client_goes_on_with_its_predecessors_age(swarms: RedisSwarms, endpoint: bytes) -> None:
    await grow_up(swarms, endpoint=endpoint)
    for number in range(1, 4):
        taken = step(1, 50 + number, at=1_000 + 400 * number, left=1_000 - number, endpoint=endpoint)
        assert await age(swarms, taken) == 1_000 + 100 * number
    assert await age(swarms, step(1, 53, at=2_600, left=899, endpoint=endpoint)) == 1_700


async def test_a_restarted_guest_goes_on_and_another_one_begins(swarms: RedisSwarms) -> None:
    await swarms.announce(guest(1, endpoint=ipv4(7)), None)
    assert await age(swarms, guest(2, at=400, endpoint=ipv4(7))) == 100
    assert await age(swarms, guest(3, at=400, endpoint=ipv4(8))) == 0


async def test_both_families_share_one_age(swarms: RedisSwarms) -> None:
    await swarms.announce(step(1), None)
    assert await age(swarms, step(1, at=400, endpoint=ipv6(1))) == 100
    assert await age(swarms, step(1, at=400)) == 100
    assert await age(swarms, step(1, at=800)) == 200
    assert await age(swarms, step(1, at=1_200, left=900, endpoint=ipv6(1))) == 600


@pytest.mark.parametrize("role", [Role.SEEDER, Role.PARTIAL_SEED])
async def test_changing_sides_keeps_the_age_but_adds_nothing(swarms: RedisSwarms, tables: Tables, role: Role) -> None:
    await grow_up(swarms)
    for at in (1_000, 2_000, 3_000):
        await swarms.announce(step(1, at=at, role=role, left=0, pace=Pace(0, 1.0)), None)
        (record,) = tables.seeders(HASH)
        assert (int(record["first_seen"]), int(record["left_or_age"])) == (NOW, 1_000)
    assert await age(swarms, step(1, at=4_000, left=950)) == 1_000
    assert await age(swarms, step(1, at=4_400, left=940)) == 1_400
    await swarms.announce(step(1, at=4_400, role=role, left=0, pace=Pace(0, 1.0)), None)
    await stop(swarms, 1, at=5_000)
    assert await age(swarms, step(1, at=6_000)) == 1_400


async def test_whoever_waits_as_a_seeder_is_no_older_as_a_leecher(swarms: RedisSwarms) -> None:
    for at in range(0, 6_000, 1_500):
        await swarms.announce(step(1, at=at, role=Role.SEEDER, left=0), None)
    assert await age(swarms, step(1, at=6_000)) == 0


async def test_progress_is_reported(swarms: RedisSwarms) -> None:
    lefts = (1_000, 1_000, 999, 999, 1_001, 998)
    views = [await swarms.announce(step(1, at=number, left=left), None) for number, left in enumerate(lefts)]
    assert [view.progressed for view in views] == [False, False, True, False, False, True]
    over6 = await swarms.announce(step(1, at=9, left=997, endpoint=ipv6(1)), None)
    assert (over6.progressed, over6.dual) == (True, True)


def old_record(role: Role, seen: int) -> bytes:
    own = step(1)
    bits = int(PeerFlag.INDEXED) | (0 if role is Role.LEECHER else int(PeerFlag.SEEDER))
    pair_hash = own.pair_hash | 0xFFFF0000 << 32
    return OLD_LAYOUT.pack(own.key_hash[:8], pair_hash, own.peer_id, NOW, seen, 0, 2, bits, own.endpoint, b"")


async def test_a_leechers_record_of_an_older_version_counts_as_progress_once(
    swarms: RedisSwarms, tables: Tables
) -> None:
    await swarms.announce(step(1), None)
    tables.client.setrange(redis_keys.leechers(HASH), 0, old_record(Role.LEECHER, NOW + 400))
    assert tables.leechers(HASH)[0]["pair_hash"] == step(1).pair_hash
    assert await age(swarms, step(1, at=800)) == 800
    assert await age(swarms, step(1, at=1_200)) == 900
    tables.check(HASH)


async def test_a_seeders_record_of_an_older_version_has_no_age(swarms: RedisSwarms, tables: Tables) -> None:
    await swarms.announce(step(1, role=Role.SEEDER), None)
    tables.client.setrange(redis_keys.seeders(HASH), 0, old_record(Role.SEEDER, NOW))
    assert await age(swarms, step(1, at=400)) == 0


async def test_a_departure_means_the_same_to_older_versions(swarms: RedisSwarms, tables: Tables) -> None:
    """They store when the key joined, and read it so: its age as reached is what had passed by the hour of leaving."""
    await grow_up(swarms)
    await stop(swarms, 1, at=1_000)
    hour, joined = divmod(int(tables.client.zscore(redis_keys.first_seen(HASH), key_of(1)[:8])), 2**32)
    assert joined == hour * HOUR - 1_000
    older = (hour * 2**32) + hour * HOUR - 5_000
    tables.client.zadd(redis_keys.first_seen(HASH), {key_of(1)[:8]: older})
    assert await age(swarms, step(1, at=1_400)) == 5_000
    same_hour = (hour * 2**32) + hour * HOUR + 5
    tables.client.zadd(redis_keys.first_seen(HASH), {key_of(2)[:8]: same_hour})
    assert await age(swarms, step(2, at=1_400)) == 0


ANNOUNCES = st.lists(
    st.tuples(st.integers(0, 2_000), st.integers(0, 30) | st.just(UNKNOWN_LEFT), st.sampled_from([0, 10])), max_size=30
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    announces=ANNOUNCES,
    longest=st.integers(0, 1_500),
    idle=st.sampled_from([0.1, 0.25, 1 / 3, 1.0]),
    changes_family=st.booleans(),
)
async def test_records_follow_the_law(
    shared_redis: RedisServer, announces: list[tuple[int, int, int]], longest: int, idle: float, changes_family: bool
) -> None:
    shared_redis.flush()
    pace = Pace(longest, idle)
    async with connect(shared_redis.settings()) as swarms:
        expected = presence.join(NOW, 20)
        await swarms.announce(step(1, left=20), None)
        for number, (seconds, left, window) in enumerate(announces):
            at = expected.seen - NOW + seconds
            endpoint = ipv6(1) if changes_family and number % 2 else ipv4(1)
            view = await swarms.announce(step(1, at=at, left=left, window=window, pace=pace, endpoint=endpoint), None)
            assert view.progressed == (left < expected.least_left)
            expected = presence.announce(expected, NOW + at, left, pace, asked=window > 0)
            assert Presence(view.first_seen, NOW + at, expected.least_left, window > 0) == expected
