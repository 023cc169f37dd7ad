"""Follows which torrents somebody downloads: only their seeders can earn the bonus for rarity.

A leecher shows it by reporting less left than before. A seeder could pose as a leecher of its own torrent, so progress
counts only if it comes from another key and from another address prefix. Each torrent therefore keeps the latest
progress from two prefixes.
"""

import struct
from typing import NamedTuple

from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.worker.records import Session, Torrent
from etracker_scoring.worker.sessions import is_hollow
from etracker_shared.agreements.facts import Fact

_LAYOUT = struct.Struct("<7s8sQ")
_WHO_BYTES = 8


class Progress(NamedTuple):
    """A leecher's progress. ``who``: the start of its key's or guest's hash. ``at``: Unix seconds."""

    prefix: bytes
    who: bytes
    at: int


class Demand:
    """Follows the demand for the torrents of one batch."""

    def __init__(self) -> None:
        self._latest: dict[int, list[Progress]] = {}

    def follow(self, torrent: Torrent, fact: Fact, before: Session | None) -> bytes | None:
        """Note the progress of a leecher, if a fact shows any; return what to store then.

        ``before``: the leecher's session before the fact.
        """
        if before is None or not 0 <= fact.left < before.left or is_hollow(fact):
            return None
        others = [one for one in self._find(torrent) if one.prefix != fact.prefix]
        latest = [Progress(fact.prefix, fact.key_hash[:_WHO_BYTES], fact.at_ms // 1000), *others[:1]]
        self._latest[torrent.id] = latest
        return b"".join(_LAYOUT.pack(*one) for one in latest)

    def is_wanted(self, torrent: Torrent, fact: Fact, seeded_from: int, parameters: ScoreParameters) -> bool:
        """Return whether somebody else made progress during the seeding that ends with a fact, or just before it."""
        latest = self._find(torrent)
        if not latest:
            return False
        earliest = seeded_from - parameters.demand_intervals * fact.interval_seconds
        who, prefix, until = fact.key_hash[:_WHO_BYTES], fact.prefix, fact.at_ms // 1000
        return any(earliest <= one.at <= until and one.who != who and one.prefix != prefix for one in latest)

    def _find(self, torrent: Torrent) -> list[Progress]:
        latest = self._latest.get(torrent.id)
        if latest is None:
            stored = _LAYOUT.iter_unpack(torrent.demand or b"")
            latest = self._latest[torrent.id] = [Progress._make(fields) for fields in stored]
        return latest
