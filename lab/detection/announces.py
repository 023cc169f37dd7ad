"""What a tracker receives, and what is known about those who sent it."""

from dataclasses import dataclass
from typing import Any, NamedTuple


class Announce(NamedTuple):
    """One announce as it reaches the tracker. ``None``: the client didn't send this parameter."""

    time: int
    key: str
    ip: str
    port: int
    info_hash: str
    peer_id: str
    uploaded: int
    downloaded: int
    left: int
    event: str | None
    numwant: int | None
    user_agent: str
    corrupt: int | None
    redundant: int | None

    def as_line(self) -> dict[str, Any]:
        """Return it as replay reads it."""
        return {name: value for name, value in self._asdict().items() if value is not None}


@dataclass
class Label:
    """The truth about a key.

    ``started``: Unix seconds since when it misbehaves. ``volume``: bytes it invented, hid or wasted.
    ``strength``: how strongly, in the words of its kind.
    """

    key: str
    kind: str | None = None
    started: int | None = None
    volume: int = 0
    strength: str = ""
    oddities: tuple[str, ...] = ()

    def as_line(self) -> dict[str, Any]:
        """Return it as it is written next to the announces."""
        return {
            "key": self.key,
            "label": "offender" if self.kind else "honest",
            "kind": self.kind,
            "from": self.started,
            "bytes": self.volume,
            "strength": self.strength,
            "oddities": list(self.oddities),
        }
