"""A step: what changed between two announces of a session."""

from typing import NamedTuple

from etracker_scoring.detection.records import Content, Evidence, Observation, Report
from etracker_scoring.detection.signal_parameters import SignalParameters
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, Kind
from etracker_shared.agreements.facts import Event

MIB = 2**20
GIB = 2**30
_NO_METADATA = 16384
"""What libtorrent reports as left while a magnet link has no metadata."""

_UNREAL_BYTES = 2**60
_MB = 1_000_000
_PIECES = 1024
"""Pieces of a torrent whose piece length isn't known."""


class Step(NamedTuple):
    """An announce with the last one of its session.

    ``at``: Unix seconds. ``received``: downloaded, corrupt and redundant bytes. ``dropped``: by how much left fell,
    negative if it rose, None if that isn't known. ``fell``: a counter did, so the client has been restarted.
    ``proves``: the announces follow each other closely enough. ``size``: 0 unless known and large enough.
    """

    observation: Observation
    now: Report
    before: Report
    content: Content
    info_hash_id: int
    at: int
    elapsed_ms: int
    received: int
    dropped: int | None
    fell: bool
    proves: bool
    size: int
    piece: int

    def evidence(self, kind: Kind, points: float, text: str, **data: float | str) -> Evidence:
        """Return evidence found in this step."""
        block = self.at // BLOCK_SECONDS
        seen = self.observation
        return Evidence(self.at, kind, points, self.info_hash_id, text, data, block, block, seen.peer_id, seen.prefix)


def step_from(
    before: Report, observation: Observation, content: Content, info_hash_id: int, parameters: SignalParameters
) -> Step:
    """Compare an announce with the last one of its session."""
    now = observation.now
    elapsed_ms = now.at_ms - before.at_ms
    fell = (-1 < now.uploaded < before.uploaded or -1 < now.downloaded < before.downloaded) and not is_hollow(now)
    received = observation.downloaded
    if not fell:
        received += _rise(before.corrupt, now.corrupt) + _rise(before.redundant, now.redundant)
    size = content.size or 0
    if size < parameters.smallest_size_mb * _MB:
        size = 0
    return Step(
        observation,
        now,
        before,
        content,
        info_hash_id,
        now.at_ms // 1000,
        elapsed_ms,
        received,
        _dropped(before, now, size) if size and not fell else None,
        fell,
        not fell and elapsed_ms <= parameters.longest_step_hours * 3_600_000,
        size,
        content.piece_length or max(1, size // _PIECES),
    )


def is_hollow(report: Report) -> bool:
    """Return whether a ``stopped`` carries no counters, as webtorrent's."""
    return report.event == Event.STOPPED and report.uploaded <= 0 and report.downloaded <= 0


def amount(size: float) -> str:
    """Write a number of bytes for people."""
    return f"{size / GIB:.1f} GiB" if size >= GIB else f"{size / MIB:.0f} MiB"


def _dropped(before: Report, now: Report, size: int) -> int | None:
    if before.left == now.left:
        return 0 if 0 <= now.left <= size and now.left != _NO_METADATA else None
    if now.event == Event.STARTED or not _is_known(before, size) or not _is_known(now, size) or is_hollow(now):
        return None  # what happened before a start may never have been reported
    return before.left - now.left


def _is_known(report: Report, size: int) -> bool:
    is_magnet = report.left == _NO_METADATA and report.event == Event.STARTED
    return not is_magnet and 0 <= report.left <= size < _UNREAL_BYTES


def _rise(before: int, now: int) -> int:
    """Return by how much a counter rose. A client that never sent it had nothing to report."""
    return max(0, now - max(before, 0))
