"""Every kind of offender at the strengths that the evaluation tries."""

import random
from dataclasses import dataclass

from .fakers import FAKERS
from .wasters import BrokenCorrupt, BrokenRaw, Cycler, EventSpammer, Ghost, Hider, Multiplier, Offender, Sink

MULTIPLES = {"mult_x2": 2.0, "mult_x3": 3.0, "mult_x5": 5.0, "mult_x10": 10.0}
REAL: dict[str, type[Offender]] = {
    "hidden_dl": Hider,
    "ghost_seed": Ghost,
    "broken_raw": BrokenRaw,
    "broken_corrupt": BrokenCorrupt,
    "silent_sink": Sink,
    "cycler": Cycler,
    "event_spam": EventSpammer,
    **dict.fromkeys(MULTIPLES, Multiplier),
}
STRENGTHS: dict[str, tuple[float, ...]] = {
    "hidden_dl": (0.9, 1.0, 1.0),
    "ghost_seed": (1.0,),
    "broken_raw": (0.4, 0.7, 1.0),
    "broken_corrupt": (0.4, 0.7, 1.0),
    "silent_sink": (1.0,),
    "cycler": (0.1, 0.4, 1.0),
    "event_spam": (120, 600, 1800),
    "joal": (100e3, 500e3, 2e6),
    **{kind: (multiple,) for kind, multiple in MULTIPLES.items()},
}
_RATES = (100e3, 500e3, 2e6)
KINDS = (*REAL, *FAKERS)
SEEDING = frozenset({"event_spam", *MULTIPLES})
"""Kinds that begin with the whole torrent."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What an offender is and how strongly."""

    kind: str
    strength: float


def draw_intents(draw: random.Random, count: int) -> list[Intent]:
    """Return that many offenders, of every kind as often as of another."""
    kinds = list(KINDS)
    draw.shuffle(kinds)
    chosen = (kinds * (count // len(kinds) + 1))[:count]
    return [Intent(kind, draw.choice(STRENGTHS.get(kind, _RATES))) for kind in chosen]
