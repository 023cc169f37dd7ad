"""Which peers a step shows: windows that stay for a seed and cover everybody over all seeds."""

import random
from collections import Counter

import pytest

from etracker_announce.adapters.swarms import RedisSwarms
from etracker_announce.domain.swarm import PeerFlag, Role, View
from tests.contract.swarms.peers import EVERYBODY, HASH, ids, join_all, peer_ids, step
from tests.contract.swarms.tables import Tables

SEEDS = 2**32


def kinds(view: View) -> tuple[int, int]:
    """Return how many seeders and leechers are among the candidates."""
    seeders = sum(bool(record["flags"] & PeerFlag.SEEDER) for record in view.candidates)
    return seeders, len(view.candidates) - seeders


async def test_asker_who_wants_nobody_sees_nobody(swarms: RedisSwarms) -> None:
    await join_all(swarms, [1, 2])
    assert len((await swarms.announce(step(1, window=0), None)).candidates) == 0


async def test_swarm_that_fits_the_window_is_shown_whole(swarms: RedisSwarms) -> None:
    await join_all(swarms, range(30))
    await join_all(swarms, range(30, 50), role=Role.SEEDER)
    for seed in (0, SEEDS // 3, SEEDS - 1):
        view = await swarms.announce(step(1, window=50, window_seed=seed), None)
        assert peer_ids(view) == ids(range(50))


@pytest.mark.promise(18)
async def test_seeders_and_partial_seeds_see_leechers_only(swarms: RedisSwarms) -> None:
    await join_all(swarms, range(30))
    await join_all(swarms, range(30, 50), role=Role.SEEDER)
    for role in (Role.SEEDER, Role.PARTIAL_SEED):
        view = await swarms.announce(step(99, role=role, window=20, window_seed=12345), None)
        assert kinds(view) == (0, 20)
        view = await swarms.announce(step(99, role=role), None)
        assert peer_ids(view) == ids(range(30))


async def test_seeder_sees_all_its_rivals_beside_leechers_and_never_alone(swarms: RedisSwarms) -> None:
    await join_all(swarms, range(100, 109), role=Role.SEEDER)
    seeding = {"role": Role.SEEDER, "window": 20, "rivals": 9}
    assert kinds(await swarms.announce(step(100, **seeding), None)) == (0, 0)
    await join_all(swarms, range(30))
    for seed in (0, SEEDS // 3, SEEDS - 1):
        view = await swarms.announce(step(100, window_seed=seed, **seeding), None)
        assert kinds(view) == (9, 20)
        assert len(peer_ids(view)) == 29
    assert kinds(await swarms.announce(step(100, role=Role.SEEDER, window=0, rivals=9), None)) == (0, 0)
    partial = await swarms.announce(step(100, role=Role.PARTIAL_SEED, rivals=9), None)
    assert peer_ids(partial) == ids(range(100, 109)) | ids(range(30))


async def test_seeder_sees_no_rivals_where_they_are_many(swarms: RedisSwarms) -> None:
    await join_all(swarms, range(30))
    await join_all(swarms, range(100, 110), role=Role.SEEDER)
    view = await swarms.announce(step(100, role=Role.SEEDER, window=20, rivals=9), None)
    assert kinds(view) == (0, 20)
    assert view.counts.seeders == 10


async def test_seeder_sees_witnesses_whoever_else_is_there_and_however_few_peers_it_wants(swarms: RedisSwarms) -> None:
    await join_all(swarms, range(100, 120), role=Role.SEEDER)
    alone = await swarms.announce(step(100, role=Role.SEEDER, window=0, witnesses=16), None)
    assert kinds(alone) == (16, 0)
    await join_all(swarms, range(30))
    for rivals, seeders in ((12, 16), (25, 20)):
        both = await swarms.announce(step(100, role=Role.SEEDER, window=10, rivals=rivals, witnesses=16), None)
        assert kinds(both) == (seeders, 10)
        assert len(peer_ids(both)) == seeders + 10
    stopped = await swarms.announce(step(100, role=Role.SEEDER, witnesses=16, stopped=True), None)
    assert kinds(stopped) == (0, 0)
    assert kinds(await swarms.announce(step(1, window=0, rivals=9, witnesses=9), None)) == (0, 0)


async def test_window_is_full_and_in_proportion(swarms: RedisSwarms) -> None:
    await join_all(swarms, range(60))
    await join_all(swarms, range(60, 100), role=Role.SEEDER)
    view = await swarms.announce(step(1, window=20, window_seed=777), None)
    assert kinds(view) == (8, 12)
    assert len(peer_ids(view)) == 20


async def test_few_seeders_among_many_leechers_are_always_shown(swarms: RedisSwarms) -> None:
    await join_all(swarms, range(200))
    await join_all(swarms, range(200, 203), role=Role.SEEDER)
    for seed in (0, 1, SEEDS // 2, SEEDS - 1):
        assert kinds(await swarms.announce(step(1, window=20, window_seed=seed), None)) == (3, 17)


async def test_few_leechers_among_many_seeders_are_always_shown(swarms: RedisSwarms) -> None:
    await join_all(swarms, range(200), role=Role.SEEDER)
    await join_all(swarms, range(200, 203))
    for seed in (0, 1, SEEDS // 2, SEEDS - 1):
        assert kinds(await swarms.announce(step(200, window=20, window_seed=seed), None)) == (17, 3)


@pytest.mark.promise(14)
async def test_window_stays_for_a_seed(swarms: RedisSwarms) -> None:
    await join_all(swarms, range(200))
    for seed in (0, 7, SEEDS // 5 * 4, SEEDS - 1):
        once = await swarms.announce(step(1, window=20, window_seed=seed), None)
        again = await swarms.announce(step(1, at=600, window=20, window_seed=seed), None)
        assert len(peer_ids(once)) == 20
        assert peer_ids(once) == peer_ids(again)


async def test_window_of_a_growing_swarm_reveals_little_more(swarms: RedisSwarms) -> None:
    await join_all(swarms, range(400))
    seen: set[bytes] = set()
    for key in range(400, 430):
        await join_all(swarms, [key])
        seen |= peer_ids(await swarms.announce(step(1, window=20, window_seed=SEEDS // 7 * 5), None))
    assert len(seen) < 4 * 20


async def test_windows_show_everybody_about_as_often(swarms: RedisSwarms) -> None:
    await join_all(swarms, range(100))
    seeds = random.Random(1)  # the same seeds in every run
    shown: Counter[bytes] = Counter()
    for _ in range(600):
        shown.update(peer_ids(await swarms.announce(step(1, window=20, window_seed=seeds.randrange(SEEDS)), None)))
    assert set(shown) == ids(range(100))
    assert min(shown.values()) > 60, "120 on average"
    assert max(shown.values()) < 200, "120 on average"


async def test_large_swarm_is_counted_shown_and_emptied(swarms: RedisSwarms, tables: Tables) -> None:
    size = 5_000
    await join_all(swarms, range(size))
    assert peer_ids(await swarms.announce(step(0, window=EVERYBODY), None)) == ids(range(size))
    view = await swarms.announce(step(0, window=100, window_seed=SEEDS - 1), None)
    assert view.counts.leechers == size
    assert len(peer_ids(view)) == 100
    await join_all(swarms, range(0, size, 2), role=Role.SEEDER)
    assert tables.counts(HASH).seeders == size // 2
    await join_all(swarms, range(size - 100), stopped=True)
    tables.check(HASH)
    tables.check_totals(HASH)
    assert peer_ids(await swarms.announce(step(size - 1), None)) == ids(range(size - 100, size))
