"""Offenders that transfer nothing: programs that only announce, each with its artefacts."""

import random
from collections.abc import Callable
from typing import NamedTuple

from .announces import Announce
from .announcing import INTERVAL_SECONDS
from .counters import Numbers
from .delivery import Delivery
from .families import draw_peer_id
from .people import Person
from .swarm import Swarm

KIB = 1024


class Guise(NamedTuple):
    """The client that a tool pretends to be."""

    peer_id: str
    agent: str
    numwant: int = 200
    sends_bad: bool = True


MODERN = (
    Guise("-qB5100-", "qBittorrent/5.1.0"),
    Guise("-qB4640-", "qBittorrent/4.6.4"),
    Guise("-TR4060-", "Transmission/4.0.6", 80, sends_bad=False),
    Guise("-DE2110-", "Deluge/2.1.1 libtorrent/2.0.9.0"),
)
OLD = (
    Guise("-UT3320-", "uTorrent/3320", 200, sends_bad=True),
    Guise("-BC0120-", "BitComet/1.20.3.25", 200, sends_bad=False),
    Guise("-AZ4200-", "Azureus 4.2.0.0;Windows 7;Java 1.6.0_20", 100),
)
QBITTORRENT_4 = (Guise("-qB4030-", "qBittorrent/4.0.3"), Guise("-qB4330-", "qBittorrent/4.3.3"))
DELUGE_1 = (Guise("-DE13F0-", "Deluge 1.3.15"),)


class Faker:
    """One tool in one torrent. ``strength``: bytes per second that it claims, or aims at."""

    kind = ""
    guises: tuple[Guise, ...] = MODERN
    unit = "kB/s"

    def __init__(
        self,
        person: Person,
        swarm: Swarm,
        delivery: Delivery,
        *,
        draw: random.Random,
        stay: tuple[int, int],
        strength: float,
    ) -> None:
        self.person, self.swarm, self.draw, self.strength = person, swarm, draw, strength
        self._delivery, self._until = delivery, stay[1]
        self.next_at = self._last = stay[0]
        self.started: int | None = None
        self.volume = 0
        self.uploaded = self.downloaded = 0
        self.left = 0
        self._guise = draw.choice(self.guises)
        self._peer_id = draw_peer_id(self._guise.peer_id, draw)
        self.port = self.choose_port()
        self._begun = False
        self._restart_at = stay[0] + draw.uniform(0.5, 4) * 86400

    def choose_port(self) -> int:
        """Return its port."""
        return self.draw.randrange(1025, 65535)

    def describe(self) -> str:
        """Return its strength in words."""
        return f"{self.strength / 1000:.0f} {self.unit}"

    def live(self, start: int, end: int) -> None:
        """Announce what is due."""
        while self.next_at < end and self.next_at < self._until:
            self._announce(max(start, self.next_at))
            self.next_at += INTERVAL_SECONDS + self.draw.randrange(90)

    def _announce(self, at: int) -> None:
        elapsed = at - self._last
        self._last = at
        if self._begun:
            self.advance(elapsed)
        event = self.event()
        if at > self._restart_at:
            event = self._begin_again(at)
        self._begun = True
        self._send(at, self.numbers(), event)
        if self.volume and self.started is None:
            self.started = at

    def _begin_again(self, at: int) -> str | None:
        self._send(at, self.numbers(), "stopped")
        self._restart_at = at + self.draw.uniform(0.5, 4) * 86400
        self._peer_id = draw_peer_id(self._guise.peer_id, self.draw)
        self.uploaded = self.downloaded = 0
        return "started"

    def numbers(self) -> Numbers:
        """Return what it announces."""
        return Numbers(self.uploaded, self.downloaded, self.left, 0, 0)

    def event(self) -> str | None:
        """Return the event that it announces next."""
        return None if self._begun else "started"

    def advance(self, elapsed: int) -> None:
        """Invent what was transferred in some seconds."""
        self.invent(int(self.strength * elapsed))

    def invent(self, amount: int) -> None:
        """Claim to have uploaded some bytes more."""
        self.uploaded += amount
        self.volume += amount

    def _send(self, at: int, numbers: Numbers, event: str | None) -> None:
        bad = 0 if self._guise.sends_bad else None
        self._delivery.send(
            Announce(
                at,
                self.person.key,
                self.person.ip,
                self.port,
                self.swarm.torrent.info_hash,
                self._peer_id,
                *numbers[:3],
                event,
                self._guise.numwant,
                self._guise.agent,
                bad,
                bad,
            )
        )


class Joal(Faker):
    """JOAL: rates follow the numbers of peers in the tracker's answers; uploads are multiples of 5."""

    kind, unit = "joal", "kB/s for all torrents"

    def choose_port(self) -> int:
        """Return the first free port from 49152 on."""
        return 49152 + (self.draw.random() < 0.1)

    def advance(self, elapsed: int) -> None:
        """Split a rate that is drawn every 20 minutes by the torrent's demand."""
        leechers, seeders = self.swarm.leechers_and_seeders()
        if not leechers or not seeders:
            return
        share = leechers / (leechers + seeders)
        for _ in range(max(1, elapsed // 1200)):
            rate = self.strength * self.draw.uniform(0.3, 1.7) * min(1.0, 0.3 + share)
            self.invent(int(rate / 1000) * 5000 * (min(elapsed, 1200) // 5))


class RatioConstant(Faker):
    """RatioMaster: a base rate and up to 10 KiB more each second, stopped for good once nobody leeches."""

    kind, guises = "ratio_const", OLD
    _ended = False

    def advance(self, elapsed: int) -> None:
        """Upload at the base rate while somebody leeches."""
        leechers, _ = self.swarm.leechers_and_seeders()
        self._ended = self._ended or not leechers
        if not self._ended:
            more = sum(self.draw.randrange(1, 11) for _ in range(elapsed)) * KIB
            self.invent(int(self.strength) * elapsed + more)

    def numbers(self) -> Numbers:
        """Round as it does."""
        rounded = self.uploaded // 16384 * 16384
        return Numbers(rounded, self.downloaded // 16 * 16, self.left, 0, 0)


class RatioMasterRs(Faker):
    """ratiomaster-rs: ``completed`` right after ``started``; no look at leechers."""

    kind, guises = "ratiomaster_rs", OLD
    _announced = 0

    def event(self) -> str | None:
        """Complete at once."""
        self._announced += 1
        if self._announced == 1:
            self.downloaded = self.swarm.torrent.size
        return {1: "started", 2: "completed"}.get(self._announced)

    def advance(self, elapsed: int) -> None:
        """Upload at a base rate, 10 KiB a second more or less."""
        self.invent(int((self.strength + self.draw.gauss(0, 10 * KIB / elapsed**0.5)) * elapsed))


class Rustatio(Faker):
    """rustatio: 20 % more or less each second, in empty swarms too."""

    kind = "rustatio"

    def advance(self, elapsed: int) -> None:
        """Upload, whoever is there."""
        spread = 0.2 / 3**0.5 / max(1, elapsed) ** 0.5
        self.invent(int(self.strength * elapsed * (1 + self.draw.gauss(0, spread))))


class Seedmage(Faker):
    """seedmage: uploads at a constant rate without ever having any data."""

    kind, guises = "seedmage", DELUGE_1

    def numbers(self) -> Numbers:
        """Have nothing."""
        return super().numbers()._replace(left=self.swarm.torrent.size)


class RatioSpoof(Faker):
    """ratio-spoof: ``started`` in every announce; whole pieces of uploads."""

    kind, guises = "ratio_spoof", QBITTORRENT_4

    def choose_port(self) -> int:
        """Return its constant."""
        return 8999

    def event(self) -> str | None:
        """Start again."""
        return "started"

    def advance(self, elapsed: int) -> None:
        """Upload some pieces more than the rate allows."""
        piece = self.swarm.torrent.piece_length
        amount = int(self.strength * elapsed) + self.draw.randrange(1, 10) * piece
        self.invent(amount // 16384 * 16384)


class RatioUp(Faker):
    """RatioUp: reports what it claims since the last announce, not since it started."""

    kind = "ratioup"
    _last_claim = 0

    def advance(self, elapsed: int) -> None:
        """Claim what a rate that changes gives."""
        self._last_claim = int(self.strength * self.draw.uniform(0.4, 1.6) * elapsed)
        self.invent(self._last_claim)

    def numbers(self) -> Numbers:
        """Report only the last claim."""
        return super().numbers()._replace(uploaded=self._last_claim)


FAKERS: dict[str, Callable[..., Faker]] = {
    faker.kind: faker for faker in (Joal, RatioConstant, RatioMasterRs, Rustatio, Seedmage, RatioSpoof, RatioUp)
}
