"""Blocks of two hours, and what an announce adds to them."""

from itertools import pairwise

from etracker_scoring.detection.balance_parameters import BalanceParameters
from etracker_scoring.detection.records import Content, Identity, Observation, Report, Traffic
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, WINDOW_BLOCKS
from etracker_shared.agreements.facts import Event

_BLOCK_MS = BLOCK_SECONDS * 1000
_NO_METADATA = 16384
"""What libtorrent reports as left while a magnet link has no metadata."""

_UNREAL_BYTES = 2**60
_DEFAULTS = BalanceParameters()


def identity_of_key(key_id: int) -> Identity:
    """Return the identity of a key, 8 bytes."""
    return key_id.to_bytes(8, "big")


def spread(
    observation: Observation, content: Content, parameters: BalanceParameters = _DEFAULTS
) -> list[tuple[int, Traffic]]:
    """Spread what an announce adds evenly over the blocks since the session's last one; the sums stay exact."""
    before, now = observation.before, observation.now
    traffic = Traffic(
        observation.uploaded,
        observation.downloaded + _wasted(before, now),
        _dropped(before, now, content, parameters),
    )
    if not any(traffic):
        return []
    start_ms = now.at_ms if before is None else min(before.at_ms, now.at_ms)
    return list(_shares(max(start_ms, now.at_ms - WINDOW_BLOCKS * _BLOCK_MS), now.at_ms, traffic))


def _shares(start_ms: int, end_ms: int, traffic: Traffic) -> list[tuple[int, Traffic]]:
    first, last = start_ms // _BLOCK_MS, max(end_ms - 1, start_ms) // _BLOCK_MS
    if first == last:
        return [(first, traffic)]
    bounds = [start_ms, *(block * _BLOCK_MS for block in range(first + 1, last + 1)), end_ms]
    length = end_ms - start_ms
    sums = [[amount * (bound - start_ms) // length for bound in bounds] for amount in traffic]
    parts = zip(*([after - before for before, after in pairwise(column)] for column in sums), strict=True)
    return [(first + index, Traffic(*part)) for index, part in enumerate(parts) if any(part)]


def _wasted(before: Report | None, now: Report) -> int:
    if before is None or _restarted(before, now):
        return 0
    return _rise(before.corrupt, now.corrupt) + _rise(before.redundant, now.redundant)


def _dropped(before: Report | None, now: Report, content: Content, parameters: BalanceParameters) -> int:
    """Return by how much left fell. A restarted client may have found data that it had: nothing fell."""
    if before is None or before.left <= now.left or _restarted(before, now):
        return 0
    if now.at_ms - before.at_ms > parameters.longest_gap_hours * 3_600_000:
        return 0
    if not _is_known(before, content) or not _is_known(now, content):
        return 0
    return before.left - now.left


def _is_known(report: Report, content: Content) -> bool:
    if report.left == _NO_METADATA and report.event == Event.STARTED:
        return False
    return 0 <= report.left <= (_UNREAL_BYTES if content.size is None else content.size)


def _restarted(before: Report, now: Report) -> bool:
    return now.uploaded < before.uploaded or now.downloaded < before.downloaded


def _rise(before: int, now: int) -> int:
    return now - before if now > before >= 0 else 0
