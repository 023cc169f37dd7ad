"""A client's announces: when, over which addresses, with which event, and what it does without an answer."""

import random

from .announces import Announce
from .counters import Counters, Numbers
from .delivery import Delivery
from .people import Person
from .plans import Plan
from .swarm import Swarm

INTERVAL_SECONDS = 1800
MIN_INTERVAL_SECONDS = 900
NEVER = 2**62


class Announcer:
    """Announces what one client in one torrent transfers.

    A fraction is the part of the swarm's present step that has passed.
    """

    def __init__(
        self, person: Person, plan: Plan, swarm: Swarm, place: int, *, delivery: Delivery, draw: random.Random
    ) -> None:
        self.person, self.plan, self.swarm, self.place = person, plan, swarm, place
        self.draw, self.family = draw, person.family
        self.counters = Counters(person.family, swarm, place, blind=plan.blind)
        self.now = 0
        self._delivery = delivery
        self._ip = person.ip
        self._peer_id = ""
        self._next = self._second = NEVER
        self._event: str | None = None
        self._failures = 0
        self._done = False
        self._share = 1.0
        self._passed = 0.0

    def report(self, numbers: Numbers) -> Numbers:
        """Return what is reported in place of the truth; offenders override it."""
        return numbers

    def _read(self, fraction: float) -> Numbers:
        self._passed = max(self._passed, fraction)
        return self.report(self.counters.read(self._passed))

    def _complete(self, end: int) -> None:
        self._done = True
        partial = self.swarm.wanted[self.place] < self.swarm.torrent.size
        if partial:
            return
        if self.family.late_completed:
            self._event = "completed"
        else:
            self._announce(end - 1, 1.0, "completed")

    def _regular(self, at: int, fraction: float) -> None:
        if self._second <= at:
            self._second = at + self._interval()
            self._deliver(at, self._read(fraction), None, self.person.ipv6)
            return
        event = self._event
        if event is None and self._done and self.family.pauses and self._is_partial():
            event = "paused"
        self._announce(at, fraction, event)

    def _is_partial(self) -> bool:
        return bool(self.swarm.wanted[self.place] < self.swarm.torrent.size)

    def _announce(self, at: int, fraction: float, event: str | None) -> None:
        """Announce over every address; without an answer it is repeated later, event and all."""
        answered = self._deliver(at, self._read(fraction), event, None)
        if self.person.ipv6 and self.family.two_addresses and (event or not self.plan.separate):
            self._deliver(at + self.draw.randrange(3), self._read(fraction), event, self.person.ipv6)
        self.counters.checked = self.counters.checked or event != "started" or not answered
        self.counters.knows_size = True
        if event == "stopped":
            return
        self._settle(at, event, answered=answered)

    def _settle(self, at: int, event: str | None, *, answered: bool) -> None:
        if answered:
            self._failures, self._event = 0, None
            self._schedule(at)
            return
        retries = self.family.retries
        self._next = at + retries[min(self._failures, len(retries) - 1)]
        self._failures += 1
        self._event = "started" if event == "completed" and self.family.name == "biglybt" else event

    def _schedule(self, at: int) -> None:
        self._next = at + self._interval()
        if self.person.ipv6 and self.family.two_addresses and self.plan.separate:
            self._second = at + self._interval()

    def _interval(self) -> int:
        seconds: float = INTERVAL_SECONDS
        if self.family.when_lonely and not self.swarm.finds_peers(self.place):
            seconds = self.family.when_lonely
        elif self.family.eager and not self._done:
            seconds = MIN_INTERVAL_SECONDS
        return int(seconds * self._share + self.draw.uniform(0, 5))

    def _deliver(self, at: int, numbers: Numbers, event: str | None, ip: str | None) -> bool:
        person, family = self.person, self.family
        bad = family.sends_bad
        return self._delivery.send(
            Announce(
                at,
                person.key,
                ip or self._ip,
                person.port,
                self.swarm.torrent.info_hash,
                self._peer_id,
                numbers.uploaded,
                numbers.downloaded,
                numbers.left,
                event,
                0 if event == "stopped" and family.numwant else family.numwant,
                family.agent,
                numbers.corrupt if bad or (numbers.corrupt and family.whole_pieces) else None,
                numbers.redundant if bad and family.name != "biglybt" else None,
            )
        )
