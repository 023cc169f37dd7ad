"""When honest people's clients run, and what happens to them."""

import random
from dataclasses import dataclass, field
from enum import StrEnum

from .families import Family
from .people import Person

DAY = 86400
HOUR = 3600


class Act(StrEnum):
    """What happens to a client. ``CRASH``: it ends without ``stopped``. ``NAP``: its machine sleeps for a while."""

    ON = "on"
    OFF = "off"
    CRASH = "crash"
    NAP = "nap"
    WAKE = "wake"
    RESTART = "restart"
    PAUSE = "pause"
    RECHECK = "recheck"
    RECHECK_LOSS = "recheck with loss"
    RECHECK_ODD = "recheck with odd events"
    DELETE = "data deleted"
    FORCE = "forced announces"
    UNANSWERED = "repeated announces"
    NEW_ADDRESS = "new address"
    POISON = "poisoned pieces"
    CLEAN = "no more poisoned pieces"
    SELECT_ALL = "more files"
    JUMP = "counts a whole torrent"
    LEAVE = "leave"


_ODDITIES = {
    Act.RESTART: 0.35,
    Act.PAUSE: 0.08,
    Act.CRASH: 0.05,
    Act.NAP: 0.06,
    Act.RECHECK: 0.05,
    Act.RECHECK_LOSS: 0.02,
    Act.RECHECK_ODD: 0.02,
    Act.DELETE: 0.004,
    Act.FORCE: 0.06,
    Act.UNANSWERED: 0.03,
    Act.NEW_ADDRESS: 0.05,
    Act.JUMP: 0.002,
}
"""How often each happens to a client in a torrent and a day."""


@dataclass(slots=True)
class Plan:
    """One client's stay in a torrent. ``have``: what it begins with. ``wanted``: what it selected.

    ``cross_seeds``: it says that it has nothing until its check ends. ``blind``: it never says what it has.
    ``underway``: it runs since before the trace begins.
    """

    acts: list[tuple[int, Act]]
    have: int
    wanted: int
    cross_seeds: bool = False
    magnet: bool = False
    blind: bool = False
    underway: bool = False
    separate: bool = False
    oddities: set[str] = field(default_factory=set)


def draw_plan(draw: random.Random, person: Person, size: int, span: tuple[int, int], *, seeds: bool) -> Plan:
    """Return what an honest person does in a torrent of ``size`` bytes between two times."""
    begin, end = span
    plan = Plan([], size if seeds else 0, size)
    arrival = begin if seeds and draw.random() < 0.8 else int(draw.uniform(begin, end - 12 * HOUR))
    stay = draw.choice((0.5, 1, 3, 30)) if not seeds else draw.choice((2, 30, 30))
    leave = min(end, int(arrival + stay * DAY * draw.uniform(0.6, 1.4)))
    plan.underway = arrival == begin and draw.random() < 0.6
    _draw_presence(plan, draw, person, arrival, leave)
    _draw_oddities(plan, draw, person.family, arrival, leave)
    _draw_data(plan, draw, person.family, seeds=seeds)
    plan.acts.sort()
    return plan


def _draw_presence(plan: Plan, draw: random.Random, person: Person, arrival: int, leave: int) -> None:
    if person.always_on:
        plan.acts += [(arrival, Act.ON), (leave, Act.LEAVE)]
        return
    hours = draw.uniform(4, 15)
    on = arrival
    while on < leave:
        off = min(leave, int(on + hours * HOUR * draw.uniform(0.5, 1.5)))
        plan.acts += [(on, Act.ON), (off, Act.CRASH if draw.random() < 0.08 else Act.OFF)]
        away = DAY if draw.random() < 0.9 else 2 * DAY
        on = max(off + HOUR, int(on + away + draw.gauss(0, HOUR)))


def _draw_oddities(plan: Plan, draw: random.Random, family: Family, arrival: int, leave: int) -> None:
    days = max(0.0, (leave - arrival) / DAY)
    for act, rate in _ODDITIES.items():
        while draw.random() < 1 - 2.718 ** (-rate * min(1.0, days)):
            _add_oddity(plan, draw, act, int(draw.uniform(arrival, leave)))
            days = max(0.0, days - 1)
        days = max(0.0, (leave - arrival) / DAY)
    if draw.random() < 0.04:
        start = int(draw.uniform(arrival, leave))
        plan.acts += [(start, Act.POISON), (start + int(draw.uniform(0.5, 6) * HOUR), Act.CLEAN)]
        plan.oddities.add(Act.POISON)
    plan.separate = draw.random() < 0.5
    plan.blind = family.name == "deluge" and draw.random() < 0.04


def _add_oddity(plan: Plan, draw: random.Random, act: Act, at: int) -> None:
    plan.acts.append((at, act))
    plan.oddities.add(act)
    if act in {Act.CRASH, Act.PAUSE}:
        plan.acts.append((at + draw.randrange(60, 4 * HOUR), Act.ON))
    if act == Act.NAP:
        plan.acts.append((at + draw.randrange(HOUR, 30 * HOUR), Act.WAKE))


def _draw_data(plan: Plan, draw: random.Random, family: Family, *, seeds: bool) -> None:
    if seeds:
        plan.cross_seeds = not plan.underway and draw.random() < 0.3
    elif draw.random() < 0.12:
        plan.wanted = int(plan.wanted * draw.uniform(0.03, 0.9))
        plan.oddities.add("partial")
        if draw.random() < 0.3:
            plan.acts.append((plan.acts[0][0] + draw.randrange(HOUR, DAY), Act.SELECT_ALL))
    elif draw.random() < 0.08:
        plan.have = int(plan.wanted * draw.uniform(0.1, 0.98))
        plan.cross_seeds = True
    plan.magnet = not seeds and not plan.cross_seeds and family.unknown_left is not None and draw.random() < 0.25
    if plan.cross_seeds:
        plan.oddities.add("cross-seed")
    plan.blind = plan.blind and seeds
    if plan.blind:
        plan.oddities.add("left=size always")
