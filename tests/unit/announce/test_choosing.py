"""Announces of one turn of the loop are chosen for together, and none can hurt another."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from structlog.testing import capture_logs

from etracker_announce.domain.policies import Asker, Question
from etracker_announce.domain.swarm import NO_COUNTS, RECORD, Records, Role, View
from etracker_announce.settings import AnnounceSettings
from etracker_announce.tracker.choosing import MOST_CANDIDATES, Choosing
from tests.support.announce_ports import Scripted

BROKEN = 666


def asked_by(identity: int, numwant: int = 50) -> Question:
    return Question(Asker(identity, 1, 2, Role.LEECHER, 0, 0.0), numwant, torrent_length=None, seed=1, now=0)


def peers(count: int, first: int = 0) -> Records:
    records = np.zeros(count, RECORD)
    records["identity"] = np.arange(first, first + count)
    return records


class FirstPeer:
    """A policy that chooses the first candidate; it remembers for whom it chose together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, questions: Sequence[Question], candidates: Sequence[Records]) -> list[Records]:
        self.batches.append([question.asker.identity for question in questions])
        if BROKEN in self.batches[-1]:
            raise ZeroDivisionError
        return [records[:1] for records in candidates]


async def ask(choosing: Choosing, identity: int, candidates: int = 3) -> int:
    chosen = await choosing.choose(asked_by(identity), peers(candidates, first=identity))
    return int(chosen["identity"][0])


async def test_announces_of_one_turn_are_chosen_for_together_and_each_gets_its_own() -> None:
    policy = FirstPeer()
    choosing = Choosing(policy)
    for turn in ([1, 2, 3], [7], [4, 5]):
        assert await asyncio.gather(*(ask(choosing, identity) for identity in turn)) == turn
    assert policy.batches == [[1, 2, 3], [7], [4, 5]]


async def test_a_batch_is_bounded_and_the_rest_has_its_turn() -> None:
    policy = FirstPeer()
    choosing = Choosing(policy)
    third = MOST_CANDIDATES // 3
    sizes = {1: third, 2: third, 3: third, 4: third, 5: MOST_CANDIDATES + 1, 6: 1}
    chosen = await asyncio.gather(*(ask(choosing, identity, size) for identity, size in sizes.items()))
    assert chosen == [*sizes]
    assert policy.batches == [[1, 2, 3], [4], [5], [6]]


async def test_an_announce_that_breaks_the_policy_breaks_no_other() -> None:
    choosing = Choosing(FirstPeer())
    with capture_logs() as logs:
        first, broken, last = await asyncio.gather(
            *(ask(choosing, identity) for identity in (1, BROKEN, 3)), return_exceptions=True
        )
    assert (first, last) == (1, 3)
    assert isinstance(broken, ZeroDivisionError)
    assert [(entry["event"], entry["announces"]) for entry in logs] == [("choosing_together_failed", 3)]
    assert await ask(choosing, 4) == 4


async def test_one_that_gives_up_while_it_waits_hurts_no_other() -> None:
    choosing = Choosing(FirstPeer())
    tasks = [asyncio.ensure_future(ask(choosing, identity)) for identity in (1, BROKEN, 3)]
    await asyncio.sleep(0)
    for given_up in tasks[:2]:
        given_up.cancel()
    assert await tasks[2] == 3
    assert all(isinstance(r, asyncio.CancelledError) for r in await asyncio.gather(*tasks[:2], return_exceptions=True))


@pytest.mark.parametrize("policy", ["equilibrium", "random"])
async def test_concurrent_announces_are_answered_as_if_they_came_one_after_the_other(policy: str) -> None:
    rng = np.random.default_rng(3)
    candidates = np.zeros(200, RECORD)
    candidates["identity"] = rng.integers(0, 2**63, 200)
    candidates["pair_hash"] = rng.integers(0, 2**32, 200)
    candidates["tier"] = rng.integers(0, 5, 200)
    candidates["seen4"] = candidates["first_seen"] = 1_800_000_000
    candidates["endpoint4"] = [bytes([8, 8, 8, number, 26, 225]) for number in range(200)]
    scripted = Scripted(settings=AnnounceSettings(policy=policy))
    scripted.swarms.view = View(NO_COUNTS, 1_800_000_000, candidates)

    async def listed(number: int) -> bytes:
        answer = await scripted.answer(b"key%d" % number, peer_id=b"-TR3000-%012d" % number)
        return answer.peers.over4["endpoint4"].tobytes()

    apart = [await listed(number) for number in range(20)]
    scripted.swarms.hold = asyncio.Event()
    together = asyncio.gather(*(listed(number) for number in range(20)))
    await asyncio.sleep(0)
    scripted.swarms.hold.set()
    assert await together == apart
    assert len(set(apart)) == 20
