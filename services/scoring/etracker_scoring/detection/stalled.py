"""Leechers without progress: each may be the one that receives what seems to have no receiver."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from etracker_scoring.detection.balance_parameters import BalanceParameters
from etracker_scoring.detection.cusum import MIB
from etracker_scoring.detection.records import Identity, Presence
from etracker_scoring.detection.window import Booleans, Window, where


class Marks(NamedTuple):
    """Which blocks of a window had uploads without receivers, and which had traffic and were balanced."""

    bad: Booleans
    balanced: Booleans


def mark(window: Window, parameters: BalanceParameters) -> Marks:
    """Tell unbalanced blocks from balanced ones."""
    sigmas = window.imbalance / window.noise
    traffic = np.maximum(window.uploaded.sum(axis=0), window.received.sum(axis=0))
    active = traffic > parameters.active_block_mib * MIB
    return Marks(sigmas >= parameters.balanced_sigmas, active & (np.abs(sigmas) < parameters.balanced_sigmas))


def stays(window: Window, row: int | None, presence: Presence) -> tuple[Booleans, Booleans]:
    """Return in which blocks a member was there, and in which it wanted data and got none. ``row``: of the window."""
    present, seeded = where(presence, window.first, window.length)
    stalls = present & ~seeded
    if row is not None:
        stalls &= (window.received[row] + window.dropped[row]) == 0
    return present, stalls


def find_stalled(
    window: Window, since: int, presence: Mapping[Identity, Presence], parameters: BalanceParameters
) -> list[int]:
    """Return the leechers that stalled while the swarm was unbalanced, and were away while it was balanced.

    They are rows of the window; -1 for one that never transferred anything. ``since``: the first block that counts
    as unbalanced.
    """
    marks = mark(window, parameters)
    bad = marks.bad.copy()
    bad[: max(0, since - window.first)] = False
    rows = {member: row for row, member in enumerate(window.members)}
    found = []
    for member, presence_ in presence.items():
        present, stalls = stays(window, rows.get(member), presence_)
        matches = bad.any() and (stalls & bad).sum() >= parameters.stalled_share * bad.sum()
        if matches and (present & marks.balanced).sum() < parameters.stalled_balanced:
            found.append(rows.get(member, -1))
    return found
