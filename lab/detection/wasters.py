"""Offenders that really take part in the swarm, but lie about it or waste others' bandwidth."""

from .clients import Client
from .counters import Numbers
from .swarm import STEP_SECONDS


class Offender(Client):
    """A client that misbehaves. ``strength``: how much, in its own unit."""

    kind = ""
    strength = 1.0
    started: int | None = None
    volume = 0
    unit = ""

    def describe(self) -> str:
        """Return its strength in words."""
        return f"{self.strength:.2f} {self.unit}".strip()

    def offend(self, at: int, amount: int) -> None:
        """Count an offence."""
        if amount > 0:
            self.started = at if self.started is None else self.started
            self.volume = max(self.volume, amount)


class Multiplier(Offender):
    """Multiplies its uploads (GreedyTorrent, ratio ghost)."""

    unit = "times"

    def report(self, numbers: Numbers) -> Numbers:
        """Report a multiple of the uploads."""
        true = self.swarm.totals(self.place, 1.0).uploaded
        self.offend(self.now, int(true * (self.strength - 1)))
        return numbers._replace(uploaded=int(numbers.uploaded * self.strength))


class Hider(Offender):
    """Downloads through a proxy that hides it (ez-freeleech); ``strength``: the share hidden."""

    kind, unit = "hidden_dl", "of it hidden"

    def report(self, numbers: Numbers) -> Numbers:
        """Report part of the downloads."""
        self.offend(self.now, int(self.swarm.totals(self.place, 1.0).received * self.strength))
        shown = 1 - self.strength
        return numbers._replace(downloaded=int(numbers.downloaded * shown), redundant=0, corrupt=0)


class Ghost(Offender):
    """Claims to seed from the beginning while it downloads."""

    kind, unit = "ghost_seed", ""

    def report(self, numbers: Numbers) -> Numbers:
        """Report a seeder that downloads nothing."""
        self.offend(self.now, self.swarm.totals(self.place, 1.0).received)
        return numbers._replace(downloaded=0, left=0, redundant=0, corrupt=0)


class Broken(Offender):
    """Its data fails verification again and again; ``strength``: the share that fails."""

    unit = "of it fails"

    def share_line(self, torrents: int) -> None:
        """Fail from the beginning."""
        super().share_line(torrents)
        self.swarm.spoils[self.place] = self.strength

    def live(self, start: int, end: int) -> None:
        """Keep failing, whatever else happens to it."""
        self.swarm.spoils[self.place] = self.strength
        super().live(start, end)
        self.offend(end - STEP_SECONDS, self.swarm.totals(self.place, 1.0).bad)


class BrokenRaw(Broken):
    """Counts the failed data as downloaded."""

    kind = "broken_raw"

    def report(self, numbers: Numbers) -> Numbers:
        """Report everything received as downloaded."""
        received = numbers.downloaded + numbers.corrupt + numbers.redundant
        return numbers._replace(downloaded=received, corrupt=0, redundant=0)


class BrokenCorrupt(Broken):
    """Reports the failed data in ``corrupt``."""

    kind = "broken_corrupt"


class Sink(Broken):
    """Downloads the same data again and again and reports nothing."""

    kind = "silent_sink"

    def report(self, numbers: Numbers) -> Numbers:
        """Report no downloads and no progress."""
        return numbers._replace(downloaded=0, corrupt=0, redundant=0, left=self.swarm.torrent.size)


class Cycler(Offender):
    """Downloads a share of the torrent, deletes it and begins again; ``strength``: the share."""

    kind, unit = "cycler", "of the torrent each time"
    _rounds = 0

    def live(self, start: int, end: int) -> None:
        """Begin again once it has its share."""
        super().live(start, end)
        if self._running and self.swarm.have[self.place] >= self.strength * self.swarm.torrent.size:
            self._rounds += 1
            self._stop(end - 1)
            self.swarm.lose(self.place, 0)
            self._start(end - 1)
            self._plan_next()
            self.offend(end, int((self._rounds - 1) * self.strength * self.swarm.torrent.size))


class EventSpammer(Offender):
    """Announces ``started`` or ``completed`` again and again; ``strength``: the seconds in between."""

    kind, unit = "event_spam", "seconds apart"
    event = "completed"

    def _regular(self, at: int, fraction: float) -> None:
        self.offend(at, 1 + at - (self.started or at))
        self._announce(at, fraction, self.event)

    def _interval(self) -> int:
        return int(self.strength * self.draw.uniform(0.98, 1.02))
