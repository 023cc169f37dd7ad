"""What a client's counters show of its transfers."""

import random
from typing import NamedTuple

from .families import Family
from .swarm import Swarm, Totals

_OVERHEAD = 0.01
_LARGEST_OFFSET = 10**11


class Numbers(NamedTuple):
    """The counters of one announce."""

    uploaded: int
    downloaded: int
    left: int
    corrupt: int
    redundant: int


class Counters:
    """One client's counters, per session, as its family keeps them.

    ``checked``: its data is checked, so that it knows what it has. ``knows_size``: it isn't a magnet link any more.
    ``blind``: it announces as if it had nothing.
    """

    def __init__(self, family: Family, swarm: Swarm, place: int, *, blind: bool) -> None:
        self._family, self._swarm, self._place, self._blind = family, swarm, place, blind
        self._base = Totals(0, 0, 0, 0, 0)
        self._carried = (0, 0)
        self.checked = self.knows_size = True

    def begin(self, *, checked: bool, knows_size: bool) -> None:
        """Count from 0."""
        self._base = self._swarm.totals(self._place, 1.0)
        self._carried = (0, 0)
        self.checked, self.knows_size = checked, knows_size

    def go_on(self, draw: random.Random) -> None:
        """Begin as a session that has been running for long."""
        self._carried = (draw.randrange(_LARGEST_OFFSET), draw.choice((0, self._swarm.torrent.size)))

    def jump(self, draw: random.Random) -> None:
        """Count much more than was transferred, all at once."""
        uploaded, downloaded = self._carried
        size = self._swarm.torrent.size
        counted_twice = draw.random() < 0.5
        self._carried = (uploaded, downloaded + size) if counted_twice else (uploaded + 3 * size, downloaded)

    def read(self, fraction: float) -> Numbers:
        """Return them after a fraction of the swarm's present step."""
        totals = self._swarm.totals(self._place, fraction)
        now, base = totals, self._base
        received = now.received - base.received
        bad, redundant = now.bad - base.bad, now.redundant - base.redundant
        uploaded = now.uploaded - base.uploaded
        left = self._left(self._swarm.torrent.size - now.have)
        if self._family.name == "webtorrent":
            uploaded += int(_OVERHEAD * received)
        if self._family.raw_downloaded:
            return self._carry(Numbers(uploaded, received, left, 0, 0))
        downloaded = self._verified(received - bad - redundant)
        return self._carry(Numbers(uploaded, downloaded, left, bad, redundant))

    def _verified(self, downloaded: int) -> int:
        piece = self._swarm.torrent.piece_length
        if self._family.whole_pieces and self._swarm.have[self._place] < self._swarm.wanted[self._place]:
            return max(0, downloaded - piece // 2) // piece * piece
        return downloaded

    def _left(self, left: int) -> int:
        if not self.knows_size and self._family.unknown_left is not None:
            return self._family.unknown_left
        return self._swarm.torrent.size if self._blind or not self.checked else left

    def _carry(self, numbers: Numbers) -> Numbers:
        uploaded, downloaded = self._carried
        return numbers._replace(uploaded=numbers.uploaded + uploaded, downloaded=numbers.downloaded + downloaded)
