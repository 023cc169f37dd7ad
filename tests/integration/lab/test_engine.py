"""The simulator is validated before anything is measured with it."""

import numpy as np
import numpy.typing as npt
import pytest

from lab import connections, transfer
from lab.state import LEECHER, NOBODY, OUT, PIECES, SEEDER, STEP_SECONDS, Swarms, make_swarms

pytestmark = pytest.mark.timeout(600)  # the first one waits for the compiler, half a minute of an idle core

MEGABIT = 125_000
UP = 10 * MEGABIT
PIECE = 20 * 10**6


def homogeneous(peers: int, seed: int = 1, *, down: int = 100 * MEGABIT) -> Swarms:
    return make_swarms(
        up=np.full(peers, UP),
        down=np.full(peers, down),
        reachable=np.ones(peers, np.bool_),
        user=np.arange(peers),
        torrent=np.zeros(peers, np.int64),
        torrent_bytes=np.array([PIECES * PIECE]),
        seed=seed,
    )


def introduce(swarms: Swarms, peer: int, rng: np.random.Generator) -> None:
    present = swarms.present[: swarms.tally[0]]
    connections.learn(swarms, peer, rng.permutation(present)[:50])


def mean_duration(seeders: int, leechers: int, apart_steps: int, seed: int = 1) -> float:
    """Mean time to completion in seconds of leechers that come one after the other and leave when done."""
    swarms, rng = homogeneous(seeders + leechers, seed), np.random.default_rng(seed)
    for peer in range(seeders):
        connections.join(swarms, peer, SEEDER)
    duration = np.zeros(leechers)
    arrival = seeders
    step = 0
    while np.count_nonzero(duration) < leechers:
        while arrival < seeders + leechers and step >= (arrival - seeders) * apart_steps:
            connections.join(swarms, arrival, LEECHER)
            introduce(swarms, arrival, rng)
            arrival += 1
        next_arrival = (arrival - seeders) * apart_steps
        step = transfer.run(swarms, step, next_arrival if arrival < seeders + leechers else step + 1000)
        for peer in swarms.done[: swarms.tally[1]].tolist():
            duration[peer - seeders] = (step - (peer - seeders) * apart_steps) * STEP_SECONDS
            connections.leave(swarms, peer)
    steady = duration[leechers // 3 : 2 * leechers // 3]
    return float(steady.mean())


def test_a_homogeneous_swarm_is_within_5_percent_of_the_fluid_ideal() -> None:
    swarms, rng = homogeneous(60), np.random.default_rng(1)
    for peer in range(60):
        connections.join(swarms, peer, SEEDER if peer < 10 else LEECHER)
    for peer in range(60):
        introduce(swarms, peer, rng)
    durations: list[int] = []
    step = 0
    while len(durations) < 50:
        step = transfer.run(swarms, step, step + 1000)
        durations += [step * STEP_SECONDS] * int(swarms.tally[1])
    # All lines upload all the time, until all have everything.
    ideal = 50 * PIECES * PIECE / (60 * UP)
    assert np.mean(durations) == pytest.approx(ideal, rel=0.05)


def test_a_swarm_of_people_who_come_and_go_is_within_6_percent_of_the_fluid_ideal() -> None:
    # Steady state: what those who come fetch is what seeders and leechers upload. The sixth percent: who has just come
    # has no piece to give, for two of the forty minutes.
    ideal = PIECES * PIECE / UP - 5 * 6 * STEP_SECONDS
    assert mean_duration(seeders=5, leechers=240, apart_steps=6) == pytest.approx(ideal, rel=0.06)


def test_a_downlink_that_is_the_bottleneck_is_used_to_within_5_percent() -> None:
    swarms, rng = homogeneous(12, down=20 * MEGABIT), np.random.default_rng(1)
    for peer in range(11):
        connections.join(swarms, peer, SEEDER)
    connections.join(swarms, 11, LEECHER)
    introduce(swarms, 11, rng)
    steps = transfer.run(swarms, 0, 10_000)
    assert steps * STEP_SECONDS == pytest.approx(PIECES * PIECE / (20 * MEGABIT), rel=0.05)


def crowd(seed: int) -> Swarms:
    swarms, rng = homogeneous(40, seed), np.random.default_rng(seed)
    for peer in range(40):
        connections.join(swarms, peer, SEEDER if peer < 3 else LEECHER)
        introduce(swarms, peer, rng)
    return swarms


def test_bytes_sent_are_bytes_received_and_nobody_exceeds_its_line() -> None:
    swarms = crowd(2)
    uploaded: npt.NDArray[np.int64] = swarms.uploaded.copy()
    downloaded = swarms.downloaded.copy()
    for step in range(150):
        transfer.run(swarms, step, step + 1)
        assert ((swarms.uploaded - uploaded) <= swarms.up).all()
        assert ((swarms.downloaded - downloaded) <= swarms.down).all()
        uploaded, downloaded = swarms.uploaded.copy(), swarms.downloaded.copy()
        assert uploaded.sum() == downloaded.sum() > 0
        assert (swarms.progress[3:].sum(axis=1) == downloaded[3:]).all()


def test_connections_are_symmetric_and_counted_right_after_peers_come_and_go() -> None:
    swarms = crowd(3)
    transfer.run(swarms, 0, 60)
    for peer in range(0, 40, 3):
        connections.leave(swarms, peer)
    transfer.run(swarms, 60, 90)
    for peer in range(40):
        places = range(swarms.degree[peer])
        assert len({int(swarms.neighbour[peer, place]) for place in places}) == swarms.degree[peer]
        for place in places:
            other, mirror = swarms.neighbour[peer, place], swarms.mirror[peer, place]
            assert (swarms.neighbour[other, mirror], swarms.mirror[other, mirror]) == (peer, place)
        assert swarms.role[peer] != OUT or swarms.degree[peer] == 0


def test_each_leecher_counts_the_pieces_its_neighbours_have() -> None:
    swarms = crowd(4)
    transfer.run(swarms, 0, 100)
    connections.leave(swarms, 7)
    for peer in np.flatnonzero(swarms.role == LEECHER):
        neighbours = swarms.neighbour[peer, : swarms.degree[peer]]
        bits = np.unpackbits(swarms.have[neighbours].view(np.uint8), axis=1, bitorder="little")
        assert (bits.sum(axis=0) == swarms.seen[peer]).all()


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    runs = [crowd(seed) for seed in (5, 5, 6)]
    for swarms in runs:
        transfer.run(swarms, 0, 120)
    assert (runs[0].downloaded == runs[1].downloaded).all()
    assert (runs[0].downloaded != runs[2].downloaded).any()


def test_unreachable_peers_connect_only_by_dialling() -> None:
    swarms = homogeneous(3)
    swarms.reachable[:2] = False
    for peer in range(3):
        connections.join(swarms, peer, LEECHER)
    connections.learn(swarms, 0, np.array([1]))
    connections.learn(swarms, 2, np.array([0, 1]))
    assert swarms.degree.tolist() == [0, 0, 0]
    connections.learn(swarms, 1, np.array([2]))
    assert swarms.degree.tolist() == [0, 1, 1]


def test_a_seeder_keeps_no_connection_to_seeders() -> None:
    swarms = homogeneous(3)
    for peer, role in enumerate((SEEDER, LEECHER, LEECHER)):
        connections.join(swarms, peer, role)
        connections.learn(swarms, peer, np.array([0, 1, 2]))
    assert swarms.degree.tolist() == [2, 2, 2]
    connections.become_seeder(swarms, 1)
    assert swarms.degree.tolist() == [1, 1, 2]


def test_lines_are_shared_by_water_filling() -> None:
    up, down = np.array([100, 1000]), np.array([1000, 30])
    no_limit = 10**9
    rates = transfer.share_lines(
        up, down, np.array([0, 0, 0, 1]), np.array([0, 0, 1, 0]), np.array([no_limit, no_limit, no_limit, 400])
    )
    # The third flow is held by its receiver, the fourth by its own limit; the first two share what is left.
    assert rates.tolist() == pytest.approx([35.0, 35.0, 30.0, 400.0])


def test_a_free_slot_goes_to_somebody_and_a_leechers_slots_to_who_gives_most() -> None:
    swarms = homogeneous(8)
    for peer in range(8):
        connections.join(swarms, peer, LEECHER)
    swarms.have[0] = ~np.uint64(0)
    swarms.have[0, 0] = np.uint64(0)
    for peer in range(1, 8):
        connections.connect(swarms, 0, peer)
        swarms.rate[0, peer - 1] = 10.0 * peer
    flows = np.zeros((400, 2), np.int64)
    count = transfer.give_slots(swarms, 1, flows)
    given = {int(swarms.neighbour[sender, place]) for sender, place in flows[:count]}
    assert {5, 6, 7} < given
    assert len(given) == transfer.TIT_FOR_TAT_SLOTS + 1
    assert swarms.optimistic[0] in given - {5, 6, 7}
    assert NOBODY not in given
