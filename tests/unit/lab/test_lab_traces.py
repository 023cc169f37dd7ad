"""Simulated swarms conserve bytes, and each kind of offender leaves the traces it is known for."""

import itertools
from collections import defaultdict

import pytest

from lab.detection.announces import Announce
from lab.detection.offenders import KINDS
from lab.detection.worlds import World, make_trace

Steps = list[tuple[Announce, Announce]]
LENGTH_DAYS = 3


@pytest.fixture(scope="module")
def world() -> World:
    played = World("small", 1000, days=LENGTH_DAYS)
    played.simulate()
    return played


def of_kind(world: World, kind: str) -> list[Announce]:
    keys = {label.key for label in world.labels.values() if label.kind == kind}
    return [announce for announce in world.delivery.arrived if announce.key in keys]


def steps(announces: list[Announce]) -> Steps:
    sessions: dict[tuple[str, str], list[Announce]] = defaultdict(list)
    for announce in announces:
        sessions[announce.info_hash, announce.peer_id].append(announce)
    return [pair for session in sessions.values() for pair in itertools.pairwise(session)]


def test_every_byte_received_was_sent(world: World) -> None:
    closed = [swarm for swarm in world.swarms if not swarm.outside_ever]
    assert len(closed) > 10
    assert all(swarm.counts[0].sum() == swarm.counts[1].sum() for swarm in closed)
    assert sum(int(swarm.counts[0].sum()) for swarm in closed) > 10**9


def test_what_a_peer_received_it_has_or_threw_away() -> None:
    world = World("closed", 1000, days=1)
    swarm = world.swarms[0]
    before = swarm.have.copy()
    swarm.online[:-1] = True
    for start in range(0, 6000, 300):
        swarm.step(start)
    received, bad, redundant = swarm.counts[1], swarm.counts[2], swarm.counts[3]
    assert (received - bad - redundant == swarm.have - before)[:-1].all()


def test_a_trace_is_the_same_for_the_same_seed() -> None:
    first, second, other = (make_trace("small", seed, days=1) for seed in (1001, 1001, 1002))
    assert first == second
    assert first.announces != other.announces


def test_there_are_offenders_of_every_kind(world: World) -> None:
    assert {label.kind for label in world.labels.values()} == {None, *KINDS}


def test_honest_counters_never_fall_within_a_session_but_for_one_that_begins_again(world: World) -> None:
    honest = [announce for announce in world.delivery.arrived if world.labels[announce.key].kind is None]
    fell = [after for before, after in steps(honest) if after.uploaded < before.uploaded]
    assert not fell


def test_ratioup_reports_less_than_before_about_every_other_time(world: World) -> None:
    pairs = steps(of_kind(world, "ratioup"))
    assert 0.25 < sum(after.uploaded < before.uploaded for before, after in pairs) / len(pairs) < 0.75


def test_joal_reports_multiples_of_5_without_downloading(world: World) -> None:
    announces = of_kind(world, "joal")
    assert all(announce.uploaded % 5 == 0 and announce.left == 0 for announce in announces)


def test_ratio_spoof_starts_in_every_announce(world: World) -> None:
    assert {announce.event for announce in of_kind(world, "ratio_spoof")} <= {"started", "stopped"}


def test_a_hidden_download_makes_progress_without_downloading(world: World) -> None:
    pairs = steps(of_kind(world, "hidden_dl"))
    progress = sum(max(0, before.left - after.left) for before, after in pairs)
    shown = sum(max(0, after.downloaded - before.downloaded) for before, after in pairs)
    assert progress > 0
    assert shown < 0.2 * progress


def test_two_addresses_report_one_counter(world: World) -> None:
    twins = [pair for pair in steps(world.delivery.arrived) if pair[0].ip != pair[1].ip and pair[1].event == "started"]
    assert twins
    assert all(before.uploaded == after.uploaded for before, after in twins if before.event == "started")
