"""Entries of the fact stream, and positions in it."""

from collections.abc import Sequence
from typing import NamedTuple

from etracker_shared.agreements.facts import Fact


class Position(NamedTuple):
    """The id of a stream entry. Ids grow within a stream."""

    milliseconds: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.milliseconds}-{self.sequence}"


START = Position(0, 0)
"""Before the first entry of a stream."""


class Entry(NamedTuple):
    """A stream entry. ``facts``: None if it can't be read; ``packed``: its bytes."""

    shard: int
    position: Position
    facts: Sequence[Fact] | None
    packed: bytes


def parse_position(text: bytes | str) -> Position:
    """Parse a stream id, for example ``1700000000000-3``."""
    milliseconds, _, sequence = (text.decode() if isinstance(text, bytes) else text).partition("-")
    return Position(int(milliseconds), int(sequence))
