"""Torrents, and the traffic with peers that this tracker doesn't see."""

import random
from dataclasses import dataclass, field
from typing import Any

MIB = 1024**2
GIB = 1024**3
_PIECES_WANTED = 1500
_SMALLEST_PIECE = 2**18
_LARGEST_PIECE = 2**24


@dataclass(frozen=True, slots=True)
class Torrent:
    """``private``: flagged so (BEP 27), which says nothing about who really takes part."""

    info_hash: str
    size: int
    piece_length: int
    private: bool

    def as_line(self) -> dict[str, Any]:
        """Return it as replay reads it."""
        return {
            "info_hash": self.info_hash,
            "size": self.size,
            "piece_length": self.piece_length,
            "private": self.private,
        }


def draw_torrent(draw: random.Random, smallest: int, largest: int, *, private: bool) -> Torrent:
    """Return a torrent whose size is spread evenly over orders of magnitude."""
    size = int(smallest * (largest / smallest) ** draw.random())
    piece = _SMALLEST_PIECE
    while piece < _LARGEST_PIECE and size / piece > _PIECES_WANTED:
        piece *= 2
    return Torrent(draw.randbytes(20).hex(), size, piece, private)


@dataclass(slots=True)
class Outside:
    """Peers of other trackers in a torrent, in bytes per second: what they give and what they want.

    They come and go: each spell lasts some hours. ``since``: Unix seconds from which there are any.
    """

    gives: float = 0.0
    wants: float = 0.0
    since: float = 0.0
    hours: float = 6.0
    _until: float = field(default=0.0)
    _giving: float = field(default=0.0)
    _wanting: float = field(default=0.0)

    def rates(self, now: float, draw: random.Random) -> tuple[float, float]:
        """Return what they give and want now."""
        if now < self.since or not (self.gives or self.wants):
            return 0.0, 0.0
        if now >= self._until:
            self._until = now + draw.expovariate(1 / (self.hours * 3600))
            self._giving = self.gives * draw.expovariate(1) * (draw.random() < 0.6)
            self._wanting = self.wants * draw.expovariate(1) * (draw.random() < 0.6)
        return self._giving, self._wanting


def draw_outside(draw: random.Random, since: float = 0.0) -> Outside:
    """Return the other trackers' peers of an open torrent: much traffic or little, in either direction."""
    scale = 10 ** draw.uniform(4.5, 7.0)
    return Outside(
        gives=scale * draw.random() * (draw.random() < 0.8),
        wants=scale * draw.random() * (draw.random() < 0.8),
        since=since,
        hours=draw.choice((2, 6, 24)),
    )
