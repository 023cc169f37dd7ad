"""Who is accused when a swarm's uploads and downloads don't balance, and who must not be."""

import random
import sys
import time
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etracker_scoring.detection.balance import Finding, judge_block, needs_presence
from etracker_scoring.detection.balance_parameters import BalanceParameters
from etracker_scoring.detection.blocks import identity_of_key
from etracker_scoring.detection.records import Content, Identity, Presence, SwarmBlock, Traffic
from etracker_scoring.detection.window import without_delays
from etracker_shared.agreements.anomalies import Kind

GIB = 2**30
DEFAULTS = BalanceParameters()
PRIVATE = Content(20 * GIB, 2**22, private=True)
OPEN = Content(20 * GIB, 2**22)
FIRST = 200_000
ONSET = FIRST + 15
BLOCKS = range(FIRST, FIRST + 40)
SEEDS = [identity_of_key(number) for number in range(1, 7)]
LEECHERS = [identity_of_key(number) for number in range(11, 15)]
SUSPECT = identity_of_key(99)

Swarm = dict[int, dict[Identity, Traffic]]
Stays = dict[Identity, Presence]


def honest_swarm(draw: random.Random, gibibytes: float = 4.0, skew: Iterable[float] = (1,) * 6) -> Swarm:
    swarm: Swarm = {}
    weights = list(skew)
    for block in BLOCKS:
        parts = [draw.uniform(0.3, 1.7) * weight for weight in weights]
        total = gibibytes * GIB * draw.uniform(0.5, 1.5)
        sent = [int(total * part / sum(parts)) for part in parts]
        got = sum(sent) // len(LEECHERS)
        swarm[block] = {seed: Traffic(amount) for seed, amount in zip(SEEDS, sent, strict=True)}
        swarm[block] |= {leecher: Traffic(0, got, got) for leecher in LEECHERS}
    return swarm


def stays_of(seeds: Iterable[Identity], leechers: Iterable[Identity], since: int = FIRST) -> Stays:
    last = BLOCKS[-1]
    bits = (1 << (last - since + 1)) - 1
    return {seed: Presence(last, bits, bits) for seed in seeds} | {who: Presence(last, bits, 0) for who in leechers}


def everybody(extra_seed: Identity | None = SUSPECT) -> Stays:
    return stays_of([*SEEDS, *([extra_seed] if extra_seed else [])], LEECHERS)


def judge(swarm: Swarm, stays: Stays, content: Content = PRIVATE) -> tuple[list[SwarmBlock], list[Finding]]:
    history: list[SwarmBlock] = []
    findings: list[Finding] = []
    for block in BLOCKS:
        window = {number: swarm[number] for number in swarm if number <= block}
        row, found = judge_block(content, 7, block, window, stays, history, DEFAULTS)
        history.append(row)
        findings += found
    return history, findings


def invent(swarm: Swarm, who: Identity, bytes_: Callable[[int], float]) -> None:
    for block in BLOCKS:
        if block >= ONSET:
            swarm[block][who] = Traffic(int(bytes_(block)))


def worst(findings: list[Finding], kind: Kind = Kind.SWARM_UPLOAD) -> dict[Identity, float]:
    levels: dict[Identity, float] = {}
    for who, evidence in findings:
        if evidence.kind == kind:
            levels[who] = max(levels.get(who, 0), evidence.points)
    return levels


def hide(swarm: Swarm, skew: list[float], gibibytes: float = 2.0) -> None:
    """Let somebody receive data from the seeders without a word."""
    for block in BLOCKS:
        if block >= ONSET:
            for seed, weight in zip(SEEDS, skew, strict=True):
                extra = int(gibibytes * GIB * weight / sum(skew))
                swarm[block][seed] = Traffic(swarm[block][seed].uploaded + extra)


def test_member_that_invents_uploads_in_a_closed_swarm_is_convicted_and_nobody_else_is_accused() -> None:
    swarm = honest_swarm(random.Random(1))
    invent(swarm, SUSPECT, lambda _: 2 * GIB)
    _, findings = judge(swarm, everybody())
    levels = worst(findings)
    assert set(levels) == {SUSPECT}
    assert levels[SUSPECT] >= 100
    text = findings[-1][1].text
    assert "has no receiver" in text
    assert findings[-1][1].data["convicts"] == 1


def test_level_grows_with_what_is_explained_and_not_with_the_number_of_looks() -> None:
    swarm = honest_swarm(random.Random(2))
    invent(swarm, SUSPECT, lambda block: 2 * GIB if block < ONSET + 12 else 0)
    _, findings = judge(swarm, everybody())
    assert max(evidence.block_to or 0 for who, evidence in findings if who == SUSPECT) < ONSET + 12


def test_multiplied_uploads_are_found() -> None:
    swarm = honest_swarm(random.Random(3))
    for block in BLOCKS:
        if block >= ONSET:
            swarm[block][SEEDS[0]] = Traffic(swarm[block][SEEDS[0]].uploaded * 10)
    _, findings = judge(swarm, everybody(None))
    assert set(worst(findings)) == {SEEDS[0]}
    assert worst(findings)[SEEDS[0]] >= 100


@pytest.mark.parametrize(
    "skew",
    [[1, 1, 1, 1, 1, 1], [4, 1, 1, 1, 1, 1], [8, 4, 1, 1, 1, 1], [3, 2, 1, 1, 1, 1], [8, 8, 1, 1, 1, 1]],
)
@pytest.mark.parametrize("seen_as", ["leecher", "seeder", "nobody"])
@pytest.mark.parametrize("gibibytes", [1.0, 4.0, 40.0])
@pytest.mark.parametrize("usual", [[1] * 6, None])
def test_seeders_that_feed_a_hidden_downloader_are_never_convicted(
    skew: list[float], seen_as: str, gibibytes: float, usual: list[float] | None
) -> None:
    for seed in range(3):
        swarm = honest_swarm(random.Random(seed), gibibytes=4.0, skew=usual or skew)
        hide(swarm, skew, gibibytes)
        stays = everybody(None)
        if seen_as == "leecher":
            stays |= stays_of([], [SUSPECT], ONSET)
        elif seen_as == "seeder":
            stays |= stays_of([SUSPECT], [], ONSET)
        _, findings = judge(swarm, stays)
        assert all(level <= DEFAULTS.doubtful_cap for level in worst(findings).values())


def test_download_that_left_betrays_is_found_and_its_seeders_are_not_accused() -> None:
    swarm = honest_swarm(random.Random(5))
    hide(swarm, [3, 1, 1, 1, 1, 1])
    for block in BLOCKS:
        if block >= ONSET:
            swarm[block][SUSPECT] = Traffic(0, 0, 2 * GIB)
    _, findings = judge(swarm, everybody(None) | stays_of([], [SUSPECT], ONSET))
    assert {who for who, _ in findings} == {SUSPECT}
    assert set(worst(findings, Kind.SWARM_HIDDEN)) == {SUSPECT}


def test_check_of_data_that_was_there_is_no_hidden_download() -> None:
    swarm = honest_swarm(random.Random(6))
    swarm[ONSET][SUSPECT] = Traffic(0, 0, 20 * GIB)
    _, findings = judge(swarm, everybody())
    assert not worst(findings, Kind.SWARM_HIDDEN)


def test_stalled_leecher_whose_stay_matches_takes_the_conviction_away() -> None:
    swarm = honest_swarm(random.Random(7))
    invent(swarm, SUSPECT, lambda _: 2 * GIB)
    stays = everybody() | stays_of([], [identity_of_key(55)], ONSET)
    _, findings = judge(swarm, stays)
    assert worst(findings)[SUSPECT] <= DEFAULTS.doubtful_cap


def test_stalled_leecher_that_was_there_while_the_swarm_was_balanced_protects_nobody() -> None:
    swarm = honest_swarm(random.Random(8))
    invent(swarm, SUSPECT, lambda _: 2 * GIB)
    _, findings = judge(swarm, everybody() | stays_of([], [identity_of_key(55)]))
    assert worst(findings)[SUSPECT] >= 100


def test_members_that_invent_uploads_together_draw_suspicion_on_no_seeder() -> None:
    swarm = honest_swarm(random.Random(9))
    draw = random.Random(10)
    invent(swarm, SUSPECT, lambda _: 2 * GIB * draw.random())
    invent(swarm, identity_of_key(98), lambda _: 2 * GIB * draw.random())
    _, findings = judge(swarm, everybody())
    assert not [level for who, level in worst(findings).items() if who in SEEDS]


@pytest.mark.parametrize("number", [2, 3])
def test_members_that_each_invent_more_than_anybody_received_are_all_convicted(number: int) -> None:
    swarm = honest_swarm(random.Random(14))
    accomplices = [identity_of_key(90 + place) for place in range(number)]
    for place, accomplice in enumerate(accomplices):
        invent(swarm, accomplice, lambda block, place=place: (9 + (block * (place + 3)) % 7) * GIB)  # type: ignore[misc]
    _, findings = judge(swarm, everybody())
    levels = worst(findings)
    assert set(levels) == set(accomplices)
    assert all(level >= 100 for level in levels.values())


def test_swarm_earns_trust_although_a_little_of_its_first_imbalance_is_left() -> None:
    swarm = honest_swarm(random.Random(15), gibibytes=0.3)
    swarm[FIRST][SEEDS[0]] = Traffic(swarm[FIRST][SEEDS[0]].uploaded + GIB)
    invent(swarm, SUSPECT, lambda _: 2 * GIB)
    rows, findings = judge(swarm, everybody())
    assert {row.onset for row in rows} == {FIRST}
    assert worst(findings)[SUSPECT] >= 100


def test_leecher_that_uploads_what_it_has_is_no_sink() -> None:
    swarm = honest_swarm(random.Random(16))
    hide(swarm, [1, 1, 1, 1, 1, 1])
    partial = identity_of_key(55)
    stays = everybody(None) | stays_of([], [SUSPECT, partial], ONSET)
    for block in BLOCKS:
        if block >= ONSET:
            swarm[block][partial] = Traffic(GIB // 20)
    _, findings = judge(swarm, stays)
    assert partial not in worst(findings, Kind.SWARM_SINK)


def test_check_that_falls_into_an_imbalance_suspects_nobody() -> None:
    swarm = honest_swarm(random.Random(17))
    invent(swarm, SEEDS[0], lambda block: 4 * GIB if block in {ONSET, ONSET + 1} else GIB)
    swarm[ONSET][SUSPECT] = Traffic(0, 0, 3 * GIB)
    swarm[ONSET + 1][SUSPECT] = Traffic(0, 0, 3 * GIB)
    _, findings = judge(swarm, everybody())
    assert sum(evidence.points for who, evidence in findings if who == SUSPECT) <= 32


def test_fewer_than_three_witnesses_convict_nobody() -> None:
    swarm = honest_swarm(random.Random(11))
    invent(swarm, SUSPECT, lambda _: 2 * GIB)
    _, findings = judge(swarm, stays_of([*SEEDS[:2], SUSPECT], [*LEECHERS]))
    assert worst(findings)[SUSPECT] <= DEFAULTS.doubtful_cap


@pytest.mark.parametrize("content", [PRIVATE, OPEN])
def test_swarm_that_was_never_balanced_convicts_nobody(content: Content) -> None:
    draw = random.Random(12)
    swarm = honest_swarm(draw)
    for block in BLOCKS:  # peers of another tracker take data from all of them, from one more than from the others
        for place, seed in enumerate(SEEDS):
            extra = int(draw.uniform(0, 2) * GIB * (3 if place == 0 else 1))
            swarm[block][seed] = Traffic(swarm[block][seed].uploaded + extra)
    rows, findings = judge(swarm, everybody(), content)
    assert not any(row.trusted for row in rows)
    assert all(level < DEFAULTS.doubtful_cap - 5 for level in worst(findings).values())
    assert content.private or not findings


@pytest.mark.parametrize(("active", "is_convicted"), [(40, True), (6, False)])
def test_member_that_invents_uploads_from_the_beginning_is_convicted_if_the_others_balance_for_long(
    active: int, is_convicted: bool
) -> None:
    swarm = honest_swarm(random.Random(18), gibibytes=2.0)
    for block in BLOCKS:
        if block >= FIRST + active:
            swarm[block] = {}
        swarm[block][SUSPECT] = Traffic(8 * GIB)
    rows, findings = judge(swarm, everybody())
    assert not any(row.trusted for row in rows)
    assert (worst(findings)[SUSPECT] >= 100) == is_convicted


def test_little_traffic_that_nobody_receives_earns_no_trust() -> None:
    swarm: Swarm = {block: {SUSPECT: Traffic(170 * 2**20)} for block in BLOCKS}
    rows, _ = judge(swarm, everybody())
    assert not any(row.trusted for row in rows)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=2, max_size=48), st.lists(st.integers(0, 100), min_size=48, max_size=48))
def test_uploads_counted_in_the_block_before_or_after_their_download_leave_no_imbalance(
    invented: list[int], late: list[int]
) -> None:
    """What no neighbouring block makes up for stays, and nothing is added."""
    imbalance = np.array(invented, dtype=np.float64)
    for block in range(1, len(imbalance), 3):
        neighbour = block - 1 if late[block] % 2 or block + 1 == len(imbalance) else block + 1
        imbalance[block] -= late[block]
        imbalance[neighbour] += late[block]
    settled = without_delays(imbalance)
    assert settled.sum() == sum(invented)
    assert settled.min() >= 0
    assert (without_delays(np.array(invented, dtype=np.float64)) == invented).all()


def test_trust_stays_as_it_was_at_the_onset() -> None:
    swarm = honest_swarm(random.Random(13))
    invent(swarm, SUSPECT, lambda _: 8 * GIB)
    rows, _ = judge(swarm, everybody())
    assert {row.trusted for row in rows if row.block > ONSET} == {True}
    assert len({row.onset for row in rows if row.block > ONSET}) == 1


def test_order_of_members_changes_nothing() -> None:
    swarm = honest_swarm(random.Random(14))
    invent(swarm, SUSPECT, lambda _: 2 * GIB)
    turned = {block: dict(reversed(members.items())) for block, members in reversed(swarm.items())}
    assert judge(swarm, everybody()) == judge(turned, dict(reversed(everybody().items())))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 20), st.floats(0, 0.4))
def test_honest_closed_swarms_convict_nobody_whatever_reports_are_lost(
    seed: int, gibibytes: float, lost: float
) -> None:
    draw = random.Random(seed)
    swarm = honest_swarm(draw, gibibytes, [draw.expovariate(1) + 0.05 for _ in SEEDS])
    for block in BLOCKS:
        for leecher in LEECHERS:
            if draw.random() < lost / 4:  # it crashed: what it got since its last announce is never reported
                kept = draw.uniform(0.75, 1.0)
                swarm[block][leecher] = Traffic(*(int(amount * kept) for amount in swarm[block][leecher]))
    _, findings = judge(swarm, everybody(None))
    assert not [evidence for _, evidence in findings if evidence.points >= 100]


def test_cost_of_a_block_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    swarm = honest_swarm(random.Random(15))
    invent(swarm, SUSPECT, lambda _: 2 * GIB)
    rows, _ = judge(swarm, everybody())
    for name, block in (("gate closed", ONSET - 2), ("solver", BLOCKS[-1])):
        history = [row for row in rows if row.block < block]
        window = {number: swarm[number] for number in swarm if number <= block}
        start = time.process_time()
        for _ in range(50):
            judge_block(PRIVATE, 7, block, window, everybody(), history, DEFAULTS)
        with capsys.disabled():
            sys.stdout.write(f"\n{name}: {(time.process_time() - start) / 50 * 1e6:.0f} us a block of 11 members")
        assert needs_presence(PRIVATE, block, swarm[block], history, DEFAULTS) == (name == "solver")
