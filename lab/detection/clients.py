"""A client in one torrent: real transfers, and the announces that its family makes of them."""

import random
from collections.abc import Callable

from .announcing import INTERVAL_SECONDS, NEVER, Announcer
from .delivery import Delivery
from .families import draw_peer_id
from .people import Person, draw_address
from .plans import HOUR, Act, Plan
from .swarm import Swarm


class Client(Announcer):
    """One honest client and what happens to it; offenders that really transfer change what it reports or does."""

    def __init__(
        self, person: Person, plan: Plan, swarm: Swarm, place: int, *, delivery: Delivery, draw: random.Random
    ) -> None:
        super().__init__(person, plan, swarm, place, delivery=delivery, draw=draw)
        self._acts = list(reversed(plan.acts))
        self._running = self._asleep = False
        self.next_at = plan.acts[0][0] if plan.acts else NEVER
        swarm.counts[4, place] = plan.have
        swarm.wanted[place] = plan.wanted

    def share_line(self, torrents: int) -> None:
        """Divide the person's line among its torrents."""
        self.swarm.upload[self.place] = self.person.upload / torrents
        self.swarm.download[self.place] = self.person.download / torrents

    def live(self, start: int, end: int) -> None:
        """Do what is due in a step whose transfers are already made."""
        self.now, self._passed = start, 0.0
        if self._running and not self._asleep and not self._done and self._is_done():
            self._complete(end)
        while self.next_at < end:
            at = max(start, self.next_at)
            if self._acts and self._acts[-1][0] <= at:
                self._act(self._acts.pop()[1], at)
            else:
                self._regular(at, (at - start) / (end - start))
            self._plan_next()

    def is_finishing(self) -> bool:
        """Return whether it has just got all it wanted."""
        return self._running and not self._done and self._is_done()

    def _plan_next(self) -> None:
        announces = min(self._next, self._second) if self._running and not self._asleep else NEVER
        self.next_at = min(announces, self._acts[-1][0] if self._acts else NEVER)

    def _is_done(self) -> bool:
        return bool(self.swarm.have[self.place] >= self.swarm.wanted[self.place])

    def _act(self, act: Act, at: int) -> None:
        simple: dict[Act, Callable[[int], None]] = {
            Act.ON: self._start,
            Act.OFF: self._stop,
            Act.LEAVE: self._leave,
            Act.CRASH: self._crash,
            Act.NAP: self._sleep,
            Act.WAKE: self._wake,
            Act.FORCE: self._force,
            Act.UNANSWERED: self._repeat,
            Act.JUMP: lambda _: self.counters.jump(self.draw),
        }
        if act in simple:
            simple[act](at)
        elif act in {Act.POISON, Act.CLEAN}:
            self.swarm.spoils[self.place] = self.draw.uniform(0.02, 0.4) if act == Act.POISON else 0.0
        elif act == Act.NEW_ADDRESS:
            self._ip = draw_address(self.draw)
        elif act == Act.SELECT_ALL:
            self._select_all()
        elif self._running and not self._asleep:
            self._again(act, at)

    # Sessions

    def _start(self, at: int) -> None:
        if self._running:
            return
        if self.plan.underway:
            self.plan.underway = False
            self._take_up(at)
            return
        self._begin_session(at)
        partial = self._done and self.swarm.have[self.place] < self.swarm.torrent.size
        self._announce(at, 1.0, "paused" if partial and self.family.pauses else "started")

    def _begin_session(self, at: int) -> None:
        self._running, self._asleep = True, False
        self._peer_id = draw_peer_id(self.family.peer_id, self.draw)
        self.counters.begin(checked=not self.plan.cross_seeds, knows_size=not self.plan.magnet)
        self.plan.cross_seeds = self.plan.magnet = False
        self.swarm.online[self.place] = True
        self._done, self._failures, self._event = self._is_done(), 0, None
        self._share = 1 + self.draw.uniform(-0.05, 0.1)
        self._schedule(at)

    def _take_up(self, at: int) -> None:
        """Be in a session that began before the trace."""
        self._begin_session(at)
        self.counters.go_on(self.draw)
        self._next, self._second = at + self.draw.randrange(INTERVAL_SECONDS), NEVER

    def _stop(self, at: int) -> None:
        if self._running and not self._asleep and self.family.stops:
            self._announce(at, 1.0, "stopped")
        self._crash(at)

    def _leave(self, at: int) -> None:
        self._stop(at)
        self._acts.clear()

    def _crash(self, at: int) -> None:
        del at
        self._running = False
        self.swarm.online[self.place] = False

    def _sleep(self, at: int) -> None:
        del at
        self._asleep = True
        self.swarm.online[self.place] = False

    def _wake(self, at: int) -> None:
        if not (self._running and self._asleep):
            return
        self._asleep = False
        self.swarm.online[self.place] = True
        self._next = at + self.draw.randrange(1, 60)

    def _again(self, act: Act, at: int) -> None:
        """Stop and start, with what happens in between."""
        self._stop(at)
        if act == Act.PAUSE:
            return
        kept = {Act.RECHECK_LOSS: self.draw.uniform(0.8, 1.0), Act.DELETE: 0.0}.get(act)
        if kept is not None:
            self.swarm.lose(self.place, int(kept * int(self.swarm.have[self.place])))
        at += self.draw.randrange(3, 90)
        if act == Act.RECHECK_ODD:
            self.plan.cross_seeds = True
        self._start(at)
        if act == Act.RECHECK_ODD:
            self._announce(at + 5, 1.0, "started")
            self.counters.checked = True
            self._announce(at + 60, 1.0, "completed")

    def _select_all(self) -> None:
        self.swarm.wanted[self.place] = self.swarm.torrent.size
        self._done = self._is_done()

    def _force(self, at: int) -> None:
        if self._running and not self._asleep:
            for number in range(self.draw.randrange(1, 6)):
                self._announce(at + number * self.draw.randrange(2, 40), 1.0, None)

    def _repeat(self, at: int) -> None:
        """Announce again and again although the tracker got it: the answers were lost."""
        if not self._running or self._asleep:
            return
        if self.draw.random() < 0.5:
            self._again(Act.RESTART, at)
        times = 6 if self.family.name.startswith("transmission") else self.draw.randrange(2, 8)
        numbers, event = self._read(1.0), self.draw.choice(("started", None))
        for number in range(times):
            wait = 0 if times == 6 else sum(self.family.retries[:number])
            if wait < HOUR / 2:
                self._deliver(at + 90 + wait, numbers, event, None)
                self._schedule(at + 90 + wait)
