"""Announces gather where that saves work: simulated clients on a scripted clock.

The kind of fault: waiting where it saves nothing. That is under load, where batches form by themselves, and in closed
loops, where clients announce again only once they are answered.
"""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from etracker_announce.frontends.gatherer import Gatherer
from etracker_announce.frontends.pause_rule import PauseRule

PAUSE_SECONDS = 0.015
QUICKLY, SLOWLY = (0.002, 0.002), (0.02, 0.04)
"""The shortest and the longest time that an announce takes once it is begun."""
ACCEPTING, KEPT = "new connections", "kept connections"
BOTH_WAYS = pytest.mark.parametrize("way", [ACCEPTING, KEPT])


@dataclass
class ScriptedTimer:
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class ScriptedLoop:
    """Runs what is scheduled in its order; only that moves the clock."""

    now: float = 1000.0
    due: list[tuple[float, int, ScriptedTimer, Callable[[], object]]] = field(default_factory=list)
    number: "itertools.count[int]" = field(default_factory=itertools.count)

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> ScriptedTimer:
        timer = ScriptedTimer()
        heapq.heappush(self.due, (self.now + delay, next(self.number), timer, lambda: callback(*args)))
        return timer

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.due and self.due[0][0] <= end:
            self.now, _, timer, callback = heapq.heappop(self.due)
            if not timer.cancelled:
                callback()
        self.now = end


class Door:
    """Announces come in on new connections, which wait unseen while nobody accepts, or on kept ones."""

    def __init__(self, way: str, seconds: float = PAUSE_SECONDS, takes: tuple[float, float] = QUICKLY) -> None:
        self.loop = ScriptedLoop()
        self.pauses = {True: 0, False: 0}
        self.gatherer = Gatherer(PauseRule(seconds), self._note_pause, self.loop)
        self.begun: list[float] = []
        self.running: set[object] = set()
        self.gatherer.watch(self.running)
        self._takes = takes
        self._chance = random.Random(8)
        self.waits: list[float] = []
        self._enter = {ACCEPTING: self._connect, KEPT: self._send}[way]
        self._backlog: list[Callable[[], None]] = []
        self._accepts = True

    def announce(self, on_answer: Callable[[], object] = lambda: None) -> None:
        came_at = self.loop.now

        def begin() -> None:
            self.begun.append(self.loop.now)
            self.waits.append(self.loop.now - came_at)
            self.running.add(begin)
            self.loop.call_later(self._chance.uniform(*self._takes), answer)

        def answer() -> None:
            self.running.remove(begin)
            on_answer()

        self._enter(begin)

    def accept_waiting(self) -> None:
        accepted, self._backlog = self._backlog, []
        self.gatherer.count(len(accepted))
        for begin in accepted:
            self.gatherer.begin(begin)

    def resume(self) -> None:
        self._accepts = True
        self._wake()

    def forget(self) -> None:
        self.pauses = {True: 0, False: 0}
        self.begun.clear()
        self.waits.clear()

    @property
    def batches(self) -> int:
        return len(set(self.begun))

    def _note_pause(self, paid: bool) -> None:
        self.pauses[paid] += 1

    def _connect(self, begin: Callable[[], None]) -> None:
        self._backlog.append(begin)
        self._wake()

    def _send(self, begin: Callable[[], None]) -> None:
        self.gatherer.arrive(begin)

    def _wake(self) -> None:
        if self._accepts and self._backlog:
            self._accepts = not self.gatherer.holds(self)
            if self._accepts:
                self.accept_waiting()


def come_by_chance(door: Door, rate: float, chance: random.Random) -> None:
    """Announce for good, each time independently of all others."""

    def come() -> None:
        door.announce()
        door.loop.call_later(chance.expovariate(rate), come)

    door.loop.call_later(chance.expovariate(rate), come)


def come_when_answered(door: Door, clients: int, chance: random.Random) -> None:
    """Have some clients announce for good, each as soon as it is answered."""
    for _ in range(clients):

        def come() -> None:
            door.announce(lambda: door.loop.call_later(chance.uniform(0.0005, 0.003), come))

        door.loop.call_later(chance.uniform(0.0, 0.01), come)


def announces_of_loops(way: str, clients: int, pause_seconds: float, takes: tuple[float, float] = QUICKLY) -> Door:
    door = Door(way, pause_seconds, takes)
    come_when_answered(door, clients, random.Random(clients))
    door.loop.run(4.0)
    return door


@BOTH_WAYS
@pytest.mark.parametrize("rate", [300.0, 500.0, 800.0])
def test_independent_announces_share_batches_and_wait_no_longer_than_a_pause(way: str, rate: float) -> None:
    door = Door(way)
    come_by_chance(door, rate, random.Random(1))
    door.loop.run(1.0)
    door.forget()
    door.loop.run(4.0)
    assert len(door.begun) > 3.5 * rate
    assert door.batches < len(door.begun) / (rate * PAUSE_SECONDS * 0.5)
    assert max(door.waits) < PAUSE_SECONDS + 1e-6


@BOTH_WAYS
@pytest.mark.parametrize("clients", [1, 2, 5, 16, 32])
def test_clients_that_wait_for_their_answers_are_not_slowed(way: str, clients: int) -> None:
    plain = announces_of_loops(way, clients, 0.0)
    gathered = announces_of_loops(way, clients, PAUSE_SECONDS)
    assert plain.pauses == {True: 0, False: 0}
    assert len(gathered.begun) > 0.97 * len(plain.begun)
    assert sum(gathered.pauses.values()) < 16


@BOTH_WAYS
def test_a_busy_tracker_makes_nobody_wait_although_announces_come_slowly(way: str) -> None:
    """Clients that wait for their answers come evenly spread in time if the answers are."""
    plain = announces_of_loops(way, 32, 0.0, SLOWLY)
    gathered = announces_of_loops(way, 32, PAUSE_SECONDS, SLOWLY)
    assert len(gathered.begun) > 0.97 * len(plain.begun)
    assert sum(gathered.pauses.values()) < 16


@BOTH_WAYS
@pytest.mark.parametrize("rate", [3_000.0, 10_000.0])
def test_under_load_nobody_waits(way: str, rate: float) -> None:
    door = Door(way)
    come_by_chance(door, rate, random.Random(2))
    door.loop.run(0.2)
    door.forget()
    door.loop.run(2.0)
    assert door.pauses == {True: 0, False: 0}
    assert max(door.waits) == 0


@BOTH_WAYS
def test_load_that_begins_during_a_pause_ends_it_early(way: str) -> None:
    door = Door(way)
    come_by_chance(door, 500.0, random.Random(3))
    door.loop.run(1.0)
    door.forget()
    come_by_chance(door, 20_000.0, random.Random(4))
    door.loop.run(1.0)
    assert sum(door.pauses.values()) <= 4
    assert sum(sorted(door.waits)[-1000:]) / 1000 < PAUSE_SECONDS


@BOTH_WAYS
def test_few_announces_wait_for_nobody(way: str) -> None:
    door = Door(way)
    come_by_chance(door, 50.0, random.Random(5))
    door.loop.run(20.0)
    assert sum(door.pauses.values()) < len(door.begun) / 50


@BOTH_WAYS
def test_announces_gather_again_when_a_closed_loop_has_ended(way: str) -> None:
    door = Door(way)
    left = 3000

    def come() -> None:
        nonlocal left
        left -= 1
        if left:
            door.announce(lambda: door.loop.call_later(0.0005, come))

    come()
    door.loop.run(20.0)
    assert left <= 0
    come_by_chance(door, 500.0, random.Random(6))
    door.loop.run(3.0)
    door.forget()
    door.loop.run(5.0)
    assert door.batches < len(door.begun) / 3


@BOTH_WAYS
def test_stopping_begins_everything_that_waits_and_later_requests_at_once(way: str) -> None:
    door = Door(way)
    come_by_chance(door, 500.0, random.Random(7))
    door.loop.run(1.0)
    while not (door.gatherer._held or door._backlog):
        door.loop.run(0.001)
    door.gatherer.stop()
    assert not door.gatherer._held
    assert not door._backlog
    door.forget()
    door.loop.run(1.0)
    assert max(door.waits) == 0
