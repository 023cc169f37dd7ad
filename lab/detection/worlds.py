"""Whole traces: settings, their torrents and people, and the days simulated."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .announces import Announce, Label
from .clients import Client
from .delivery import Delivery
from .fakers import FAKERS, Faker
from .families import LIBTORRENT, QBITTORRENT, TRANSMISSION_4
from .offenders import REAL, SEEDING, Intent, draw_intents
from .people import Person, draw_person
from .plans import DAY, HOUR, Act, Plan, draw_plan
from .swarm import STEP_SECONDS, Swarm
from .torrents import GIB, MIB, Outside, Torrent, draw_outside, draw_torrent
from .wasters import Offender

BEGIN = 1_795_000_000 // DAY * DAY
"""Unix seconds at which every trace begins."""
_OUTAGE_CHANCE = 0.25


@dataclass(frozen=True, slots=True)
class Setting:
    """A kind of tracker.

    ``open_share``: of torrents, those with peers on other trackers. ``flagged_share``: of these, those flagged
    as private.
    """

    torrents: int
    members: tuple[int, int]
    sizes: tuple[int, int]
    open_share: float
    flagged_share: float
    offenders: float
    days: int = 6


SETTINGS = {
    "mixed": Setting(36, (4, 40), (60 * MIB, 60 * GIB), 0.5, 0.2, 0.5),
    "closed": Setting(36, (6, 40), (300 * MIB, 60 * GIB), 0.0, 0.0, 0.6),
    "mislabelled": Setting(30, (5, 40), (300 * MIB, 60 * GIB), 0.8, 0.9, 0.4),
    "small": Setting(70, (2, 8), (50 * MIB, 8 * GIB), 0.3, 0.3, 0.3),
    "large": Setting(4, (100, 260), (1 * GIB, 50 * GIB), 0.3, 0.3, 2.0),
}


@dataclass
class Trace:
    """Announces in the order of their arrival, the torrents, and the truth about the keys."""

    setting: str
    seed: int
    announces: list[Announce]
    torrents: list[Torrent]
    labels: list[Label]


Actor = Client | Faker


class World:
    """One setting's people and torrents, drawn from a seed."""

    def __init__(self, name: str, seed: int, days: int | None = None) -> None:
        self.setting = SETTINGS[name]
        self.draw = random.Random(f"{name} {seed}")  # noqa: S311
        self.span = (BEGIN, BEGIN + (days or self.setting.days) * DAY)
        self.delivery = Delivery(self.draw, self._draw_outages(), 0.0 if self.draw.random() < 0.3 else 0.015)
        self.labels: dict[str, Label] = {}
        self._addresses: list[str] = []
        self.swarms: list[Swarm] = []
        self.actors: list[list[Actor]] = []
        self._populate()

    def _draw_outages(self) -> list[tuple[int, int]]:
        if self.draw.random() > _OUTAGE_CHANCE:
            return []
        start = int(self.draw.uniform(*self.span))
        return [(start, start + int(self.draw.uniform(0.5, 4) * HOUR))]

    def _populate(self) -> None:
        setting = self.setting
        sizes = [self.draw.randint(*setting.members) for _ in range(setting.torrents)]
        tickets = [torrent for torrent, size in enumerate(sizes) for _ in range(size)]
        self.draw.shuffle(tickets)
        intents = draw_intents(self.draw, round(setting.offenders * setting.torrents))
        places = [(intent, self._torrents_of(intent)) for intent in intents]
        for torrent, size in enumerate(sizes):
            extra = sum(torrent in chosen for _, chosen in places)
            self.swarms.append(self._draw_swarm(size + extra))
            self.actors.append([])
        self._settle_people(tickets)
        for intent, chosen in places:
            self._settle_offender(intent, chosen)

    def _torrents_of(self, intent: Intent) -> list[int]:
        most = {"joal": 5, "hidden_dl": 3, "broken_corrupt": 1, "broken_raw": 1, "event_spam": 1}.get(intent.kind, 2)
        count = min(self.setting.torrents, self.draw.randint(1, most))
        return self.draw.sample(range(self.setting.torrents), count)

    def _draw_swarm(self, places: int) -> Swarm:
        setting = self.setting
        opened = self.draw.random() < setting.open_share
        flagged = self.draw.random() < setting.flagged_share if opened else self.draw.random() < 0.9
        since = self.span[0] + (self.draw.uniform(1, 4) * DAY if opened and flagged and self.draw.random() < 0.4 else 0)
        outside = draw_outside(self.draw, since) if opened else Outside()
        torrent = draw_torrent(self.draw, *setting.sizes, private=flagged)
        return Swarm(torrent, outside, self.draw, places)

    def _settle_people(self, tickets: list[int]) -> None:
        while tickets:
            chosen = {tickets.pop() for _ in range(min(len(tickets), self.draw.choice((1, 1, 2, 3, 5))))}
            person = draw_person(self.draw, self._addresses)
            label = self.labels[person.key] = Label(person.key)
            oddities: set[str] = set()
            for torrent in sorted(chosen):
                client = self._settle(person, torrent, seeds=self.draw.random() < 0.5, people=len(chosen))
                oddities |= client.plan.oddities
            label.oddities = tuple(sorted(oddities))

    def _settle(self, person: Person, torrent: int, *, seeds: bool, people: int) -> Client:
        swarm = self.swarms[torrent]
        first = not any(isinstance(actor, Client) for actor in self.actors[torrent])
        plan = draw_plan(self.draw, person, swarm.torrent.size, self.span, seeds=seeds or first)
        client = Client(person, plan, swarm, len(self.actors[torrent]), delivery=self.delivery, draw=self.draw)
        client.share_line(people)
        self.actors[torrent].append(client)
        return client

    def _settle_offender(self, intent: Intent, torrents: list[int]) -> None:
        person = draw_person(self.draw, self._addresses, self.draw.choice((QBITTORRENT, LIBTORRENT, TRANSMISSION_4)))
        self.labels[person.key] = Label(person.key, intent.kind)
        start = self.span[0] + int(self.draw.uniform(0.2, 0.45) * (self.span[1] - self.span[0]))
        for torrent in torrents:
            actors = self.actors[torrent]
            actor: Faker | Offender
            if intent.kind in FAKERS:
                stay = (start + self.draw.randrange(600), self.span[1])
                strength = intent.strength * self.draw.uniform(0.7, 1.4)
                swarm = self.swarms[torrent]
                actor = FAKERS[intent.kind](person, swarm, self.delivery, draw=self.draw, stay=stay, strength=strength)
            else:
                actor = self._settle_waster(intent, person, torrent, start)
                actor.share_line(len(torrents))
            actors.append(actor)

    def _settle_waster(self, intent: Intent, person: Person, torrent: int, start: int) -> Offender:
        swarm, size = self.swarms[torrent], self.swarms[torrent].torrent.size
        seeds = intent.kind in SEEDING and self.draw.random() < 0.7
        person.always_on = person.always_on or self.draw.random() < 0.7
        plan = Plan([(start, Act.ON), (self.span[1], Act.LEAVE)], size if seeds else 0, size)
        if not person.always_on:
            plan = draw_plan(self.draw, person, size, (start, self.span[1]), seeds=seeds)
            plan.cross_seeds = plan.magnet = plan.blind = plan.underway = False
            plan.have, plan.wanted = size if seeds else 0, size
        place = len(self.actors[torrent])
        offender = REAL[intent.kind](person, plan, swarm, place, delivery=self.delivery, draw=self.draw)
        offender.strength = intent.strength
        return offender

    def simulate(self, progress: Callable[[], None] = lambda: None) -> Trace:
        """Play all days; ``progress`` is called after each torrent."""
        for swarm, actors in zip(self.swarms, self.actors, strict=True):
            for start in range(*self.span, STEP_SECONDS):
                swarm.step(start)
                for actor in actors:
                    if isinstance(actor, Offender) or actor.next_at < start + STEP_SECONDS or _might_complete(actor):
                        actor.live(start, start + STEP_SECONDS)
            progress()
        self._label()
        announces = sorted(self.delivery.arrived, key=lambda announce: announce.time)
        return Trace("", 0, announces, [swarm.torrent for swarm in self.swarms], list(self.labels.values()))

    def _label(self) -> None:
        for actor in self._offenders():
            label = self.labels[actor.person.key]
            label.strength = actor.describe()
            label.volume += actor.volume
            starts = [at for at in (label.started, actor.started) if at is not None]
            label.started = min(starts) if starts else None

    def _offenders(self) -> Iterator[Faker | Offender]:
        for actors in self.actors:
            for actor in actors:
                if isinstance(actor, Faker | Offender):
                    yield actor


def _might_complete(actor: Actor) -> bool:
    return isinstance(actor, Client) and actor.is_finishing()


def make_trace(setting: str, seed: int, progress: Callable[[], None] = lambda: None, days: int | None = None) -> Trace:
    """Return the trace of a setting and a seed."""
    trace = World(setting, seed, days).simulate(progress)
    trace.setting, trace.seed = setting, seed
    return trace
