"""Requests that arrive within some milliseconds of each other are begun together, if that pays.

They then share a turn of the event loop, a round trip to Redis, a request to scoring, the choosing of peers and an
entry of the stream. During a pause new connections wait in the kernel, where they wake nobody.
"""

import asyncio
from collections.abc import Callable, Sized
from typing import Any, Protocol

from etracker_announce.frontends.pause_rule import PauseRule

Begin = Callable[[], None]


class Acceptor(Protocol):
    """Accepts the connections of one listening socket."""

    def accept_waiting(self) -> None:
        """Accept and count the connections that are waiting."""
        ...

    def resume(self) -> None:
        """Accept connections as they come again."""
        ...


class Timer(Protocol):
    """A scheduled call."""

    def cancel(self) -> None:
        """Don't call."""
        ...


class Timers(Protocol):
    """What a gatherer needs of an event loop."""

    def time(self) -> float:
        """Return the time, in seconds."""
        ...

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Timer:
        """Call once after ``delay`` seconds."""
        ...


class Gatherer:
    """Holds requests and acceptors during pauses. ``on_pause`` is called after each pause with whether it paid."""

    def __init__(self, rule: PauseRule, on_pause: Callable[[bool], None], loop: Timers | None = None) -> None:
        self._rule = rule
        self._on_pause = on_pause
        self._loop = loop or asyncio.get_running_loop()
        self._held: list[Begin] = []
        self._acceptors: list[Acceptor] = []
        self._timer: Timer | None = None
        self._arrived = 0
        self._stopped = False
        self._running: list[Sized] = []

    def watch(self, running: Sized) -> None:
        """Consider how many requests are running; ``running`` is one front end's collection of them."""
        self._running.append(running)

    def arrive(self, begin: Begin) -> None:
        """Count a request, and begin it now or at the end of a pause."""
        self._consider_pause()
        self.count(1)
        self.begin(begin)

    def count(self, arrived: int) -> None:
        """Count requests that have arrived, or connections with one."""
        self._arrived += arrived
        self._rule.count(arrived, self._loop.time())

    def begin(self, begin: Begin) -> None:
        """Begin a request that is counted already: now, or at the end of the pause if there is one."""
        if self._timer is None:
            begin()
        else:
            self._held.append(begin)

    def holds(self, acceptor: Acceptor) -> bool:
        """Return whether an acceptor has to wait for the end of a pause, at which it is resumed."""
        self._consider_pause()
        if self._timer is None:
            return False
        self._acceptors.append(acceptor)
        return True

    def stop(self) -> None:
        """End the pause and begin no other."""
        self._stopped = True
        self._release()

    def _consider_pause(self) -> None:
        if self._timer is None and not self._stopped and self._rule.pays(self._loop.time(), self._count_running()):
            self._arrived = 0
            if self._rule.is_check():
                self._timer = self._loop.call_later(self._rule.early_seconds, self._end_early_part)
            else:
                self._timer = self._loop.call_later(self._rule.seconds, self._end_unchecked)

    def _count_running(self) -> int:
        return sum(map(len, self._running))

    def _end_early_part(self) -> None:
        self._accept()
        early = self._arrived
        if self._rule.has_enough(early):
            self._end(early)
        else:
            self._timer = self._loop.call_later(self._rule.late_seconds, self._end_late_part, early)

    def _end_late_part(self, early: int) -> None:
        self._accept()
        self._end(early)

    def _end_unchecked(self) -> None:
        self._accept()
        self._on_pause(self._arrived > 1)
        self._release()

    def _end(self, early: int) -> None:
        self._on_pause(self._rule.learn(early, self._arrived - early, self._loop.time()))
        self._release()

    def _accept(self) -> None:
        for acceptor in self._acceptors:
            acceptor.accept_waiting()

    def _release(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held, self._held = self._held, []
        for begin in held:
            begin()
        acceptors, self._acceptors = self._acceptors, []
        for acceptor in acceptors:
            acceptor.resume()
