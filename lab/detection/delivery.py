"""Between clients and the tracker: requests get lost, answers get lost, and now and then the tracker isn't there."""

import random
from collections.abc import Sequence

from .announces import Announce

_LOST = 0.01
_UNANSWERED = 0.004


class Delivery:
    """Keeps what arrived."""

    def __init__(self, draw: random.Random, outages: Sequence[tuple[int, int]] = (), lost: float = _LOST) -> None:
        self.arrived: list[Announce] = []
        self._draw, self._outages, self._lost = draw, outages, lost

    def send(self, announce: Announce) -> bool:
        """Deliver an announce; return whether its client got an answer."""
        if any(start <= announce.time < end for start, end in self._outages):
            return False
        luck = self._draw.random()
        if luck < self._lost:
            return False
        self.arrived.append(announce)
        return luck > self._lost + _UNANSWERED
