"""Join, update, leave: what one step does to a swarm."""

import pytest

from etracker_announce.adapters.swarms import RedisSwarms
from etracker_announce.domain.swarm import Counts, PeerFlag, Role
from etracker_shared.agreements import redis_keys
from etracker_shared.language.identity import InfoHash
from tests.contract.swarms.peers import HASH, NOW, OTHER_HASH, ids, ipv4, ipv6, join_all, peer_ids, record_of, step
from tests.contract.swarms.tables import Tables


async def test_first_peer_is_alone(swarms: RedisSwarms, tables: Tables) -> None:
    view = await swarms.announce(step(1), None)
    assert view.counts == Counts(seeders=0, leechers=1, partial_seeds=0, snatches=None)
    assert view.first_seen == NOW
    assert not view.dual
    assert peer_ids(view) == ids([1])
    tables.check(HASH)
    tables.check_totals(HASH)


async def test_record_holds_all_that_peer_selection_needs(swarms: RedisSwarms) -> None:
    view = await swarms.announce(step(1, role=Role.SEEDER, tier=3, flags=PeerFlag.GUEST | PeerFlag.UNREACHABLE), None)
    assert len(view.candidates) == 0
    record = record_of(await swarms.announce(step(2, at=5), None), 1)
    assert record["identity"].tobytes() == step(1).key_hash[:8]
    assert record["pair_hash"] == step(1).pair_hash
    assert (record["first_seen"], record["seen4"], record["seen6"]) == (NOW, NOW, 0)
    assert record["tier"] == 3
    flags = PeerFlag.GUEST | PeerFlag.UNREACHABLE | PeerFlag.SEEDER | PeerFlag.INDEXED | PeerFlag.ASKED
    assert (record["flags"], record["left_or_age"]) == (flags, 0)
    assert bytes(record["endpoint4"]) == ipv4(1)
    assert bytes(record["endpoint6"]) == bytes(18)


async def test_update_keeps_first_seen_and_changes_the_rest(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, [1, 2])
    view = await swarms.announce(step(1, at=60, tier=4, left=900, endpoint=ipv4(9, 7000)), None)
    assert view.first_seen == NOW
    record = record_of(view, 1)
    assert (record["first_seen"], record["seen4"], record["tier"]) == (NOW, NOW + 60, 4)
    assert record["left_or_age"] == 900
    assert bytes(record["endpoint4"]) == ipv4(9, 7000)
    assert view.counts.leechers == 2
    tables.check(HASH)


async def test_same_step_twice_leaves_what_it_left_once(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, [1, 2])
    for role in (Role.SEEDER, Role.LEECHER, Role.PARTIAL_SEED):
        once = await swarms.announce(step(3, role=role), None)
        twice = await swarms.announce(step(3, role=role), None)
        assert (once.counts, once.first_seen) == (twice.counts, twice.first_seen)
        assert peer_ids(once) == peer_ids(twice)
        tables.check(HASH)
        tables.check_totals(HASH)


@pytest.mark.promise(16)
async def test_stopped_peer_is_gone_at_once(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, [1, 2, 3])
    view = await swarms.announce(step(1, stopped=True), None)
    assert view.counts.leechers == 2
    assert len(view.candidates) == 0
    assert peer_ids(await swarms.announce(step(2), None)) == ids([2, 3])
    tables.check(HASH)
    tables.check_totals(HASH)


@pytest.mark.promise(16)
async def test_stopped_again_and_again_is_a_success(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, [1, 2])
    for _ in range(3):
        assert (await swarms.announce(step(1, stopped=True), None)).counts.leechers == 1
    tables.check(HASH)


async def test_stopped_in_a_swarm_that_is_not_there_leaves_no_key(swarms: RedisSwarms, tables: Tables) -> None:
    view = await swarms.announce(step(1, stopped=True), None)
    assert view.counts == Counts(0, 0, 0, None)
    assert tables.keys() == set()


@pytest.mark.parametrize("endpoint", [ipv4(1), ipv6(1)])
async def test_stopped_under_another_peer_id_ends_the_session_at_that_endpoint(
    swarms: RedisSwarms, tables: Tables, endpoint: bytes
) -> None:
    await swarms.announce(step(1, 1, endpoint=endpoint), None)
    await swarms.announce(step(1, 2), None)
    await swarms.announce(step(1, 99, endpoint=endpoint, stopped=True), None)
    assert peer_ids(await swarms.announce(step(5), None)) == ids([2, 5])
    tables.check(HASH)


async def test_stopped_under_another_peer_id_elsewhere_ends_nothing(swarms: RedisSwarms) -> None:
    await join_all(swarms, [1, 2])
    view = await swarms.announce(step(1, 99, endpoint=ipv4(1, 9999), stopped=True), None)
    assert view.counts.leechers == 2


async def test_stopped_never_ends_another_keys_session(swarms: RedisSwarms) -> None:
    await join_all(swarms, [1])
    view = await swarms.announce(step(2, 1, endpoint=ipv4(1), stopped=True), None)
    assert view.counts.leechers == 1


@pytest.mark.promise(26)
async def test_dual_stack_peer_is_one_record_with_two_endpoints(swarms: RedisSwarms, tables: Tables) -> None:
    assert not (await swarms.announce(step(1), None)).dual
    view = await swarms.announce(step(1, at=1, left=900, endpoint=ipv6(1)), None)
    assert view.dual
    assert view.counts.leechers == 1
    record = record_of(view, 1)
    assert (bytes(record["endpoint4"]), bytes(record["endpoint6"])) == (ipv4(1), ipv6(1))
    assert (record["first_seen"], record["seen4"], record["seen6"]) == (NOW, NOW, NOW + 1)
    tables.check(HASH)


async def test_stopped_on_one_family_ends_both(swarms: RedisSwarms) -> None:
    await swarms.announce(step(1), None)
    await swarms.announce(step(1, endpoint=ipv6(1)), None)
    assert (await swarms.announce(step(1, stopped=True), None)).counts.leechers == 0
    assert (await swarms.announce(step(1, stopped=True, endpoint=ipv6(1)), None)).counts.leechers == 0


async def test_finished_leecher_becomes_a_seeder(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, [1, 2, 3])
    await swarms.announce(step(1, at=1, left=900, endpoint=ipv6(1)), None)
    view = await swarms.announce(step(1, at=2, role=Role.SEEDER), None)
    assert view.counts == Counts(seeders=1, leechers=2, partial_seeds=0, snatches=None)
    assert view.first_seen == NOW
    assert view.dual
    assert peer_ids(view) == ids([2, 3])
    tables.check(HASH)
    tables.check_totals(HASH)


@pytest.mark.promise(18, 30)
async def test_partial_seed_counts_apart_and_sees_leechers_only(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, [1], role=Role.SEEDER)
    await join_all(swarms, [2])
    view = await swarms.announce(step(3, role=Role.PARTIAL_SEED), None)
    assert view.counts == Counts(seeders=1, leechers=1, partial_seeds=1, snatches=None)
    assert peer_ids(view) == ids([2])
    view = await swarms.announce(step(3, role=Role.SEEDER), None)
    assert view.counts == Counts(seeders=2, leechers=1, partial_seeds=0, snatches=None)
    view = await swarms.announce(step(3, role=Role.PARTIAL_SEED), None)
    assert view.counts == Counts(seeders=1, leechers=1, partial_seeds=1, snatches=None)
    assert peer_ids(await swarms.announce(step(2), None)) == ids([1, 2, 3])
    tables.check(HASH)
    tables.check_totals(HASH)


@pytest.mark.promise(23)
async def test_newest_client_of_a_key_replaces_the_one_longest_silent(swarms: RedisSwarms, tables: Tables) -> None:
    for instance in (1, 2, 3):
        await swarms.announce(step(1, instance, at=instance, role=Role(instance % 2)), None)
    await swarms.announce(step(1, 1, at=10, role=Role.SEEDER), None)
    view = await swarms.announce(step(1, 4, at=11), None)
    assert (view.counts.seeders, view.counts.leechers) == (2, 1)
    tables.check(HASH)
    assert peer_ids(await swarms.announce(step(9, at=12), None)) == ids([1, 3, 4, 9])


@pytest.mark.promise(31)
async def test_leave_of_one_client_leaves_the_keys_other_one(swarms: RedisSwarms, tables: Tables) -> None:
    await swarms.announce(step(1, 1), None)
    await swarms.announce(step(1, 2), None)
    await swarms.announce(step(1, 1, stopped=True), None)
    assert peer_ids(await swarms.announce(step(5), None)) == ids([2, 5])
    tables.check(HASH)


async def test_wrong_slot_heals_at_the_owners_next_announce(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, [1, 2, 3])
    members = redis_keys.members(HASH)
    entry = tables.client.hget(members, step(1).key_hash[:8])
    wrong = tables.client.hget(members, step(2).key_hash[:8])[4:]
    tables.client.hset(members, step(1).key_hash[:8], entry[:4] + wrong)
    view = await swarms.announce(step(1, at=1), None)
    assert bytes(record_of(view, 2)["endpoint4"]) == ipv4(2)
    own = [record for record in view.candidates if bytes(record["peer_id"]) == step(1).peer_id]
    assert len(own) == 2, "the orphan stays till it expires"
    await join_all(swarms, [1, 2, 3], at=4_000)
    await swarms.sweep(NOW + 4_001)
    assert tables.counts(HASH).leechers == 3
    tables.check(HASH)


async def test_lost_table_heals(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, range(20))
    tables.client.delete(redis_keys.leechers(HASH))
    for at in (1, 2):
        await join_all(swarms, range(20), at=at)
    await swarms.sweep(NOW + 1_000)
    assert tables.counts(HASH).leechers == 20
    tables.check(HASH)


async def test_hole_is_filled_with_the_last_record(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, range(1, 9))
    await swarms.announce(step(3, stopped=True), None)
    assert bytes(tables.leechers(HASH)[2]["peer_id"]) == step(8).peer_id
    await swarms.announce(step(8, at=5, tier=4), None)
    assert tables.leechers(HASH)[2]["tier"] == 4
    tables.check(HASH)


async def test_slack_is_given_back_and_an_empty_table_deleted(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, range(100))
    for key in range(100):
        await swarms.announce(step(key, stopped=True), None)
        tables.check(HASH)
    assert not tables.client.exists(redis_keys.leechers(HASH))


async def test_swarms_of_one_tag_and_of_others_do_not_meet(swarms: RedisSwarms) -> None:
    await join_all(swarms, [1])
    neighbour = InfoHash(HASH[:-1] + b"!")
    for info_hash in (neighbour, OTHER_HASH):
        view = await swarms.announce(step(2)._replace(info_hash=info_hash), None)
        assert peer_ids(view) == ids([2])


async def test_swarm_is_marked_changed_only_when_counts_change(swarms: RedisSwarms, tables: Tables) -> None:
    changed = redis_keys.changed(HASH)
    await join_all(swarms, [1])
    assert tables.client.zscore(changed, HASH) == NOW
    tables.client.delete(changed)
    await join_all(swarms, [1], at=10)
    assert not tables.client.exists(changed)
    await join_all(swarms, [1], at=20, role=Role.SEEDER)
    assert tables.client.zscore(changed, HASH) == NOW + 20


async def test_snatches_are_what_the_scoring_worker_wrote(swarms: RedisSwarms, tables: Tables) -> None:
    await join_all(swarms, [1])
    tables.client.hset(redis_keys.members(HASH), redis_keys.SNATCHES_FIELD, 42)
    assert (await swarms.announce(step(1), None)).counts.snatches == 42
    assert (await swarms.scrape([HASH]))[0].snatches == 42


async def test_scrape_answers_in_order_and_zeros_for_a_swarm_that_is_not_there(swarms: RedisSwarms) -> None:
    await join_all(swarms, [1, 2])
    await join_all(swarms, [3], role=Role.SEEDER)
    await join_all(swarms, [4], role=Role.PARTIAL_SEED)
    assert await swarms.scrape([OTHER_HASH, HASH]) == [Counts(0, 0, 0, None), Counts(1, 2, 1, None)]
    assert await swarms.scrape([]) == []


async def test_new_hashes_are_admitted_up_to_the_limit_of_a_prefix(swarms: RedisSwarms, tables: Tables) -> None:
    one, other = b"\x04\x0a\x00\x00\x00\x00\x00", b"\x04\x0a\x00\x01\x00\x00\x00"
    assert [await swarms.admit_new_hash(one, 2) for _ in range(4)] == [True, True, False, False]
    assert await swarms.admit_new_hash(other, 2)
    assert 3_590 <= tables.client.ttl(redis_keys.new_hashes(one)) <= 3_600
