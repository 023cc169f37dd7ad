"""C:upload: whose uploads explain that a swarm uploads more than it receives."""

from typing import NamedTuple

import numpy as np

from etracker_scoring.detection.balance_parameters import BalanceParameters
from etracker_scoring.detection.cusum import MIB
from etracker_scoring.detection.window import Floats, Window, explained

SHARES = np.array((0.35, 0.5, 0.67, 0.8, 0.9, 1.0))
"""Shares of a member's uploads that are tried as invented."""

_NOTABLE = 0.7
"""Squared sigmas at which a block counts as explained, or as explained worse."""


class Accusation(NamedTuple):
    """A member a share of whose uploads nobody received. ``gains``: squared sigmas, per block."""

    row: int
    share: float
    gains: Floats

    @property
    def gain(self) -> float:
        """What the accusation explains, in squared sigmas."""
        return float(self.gains.sum())


def select_accused(window: Window, imbalance: Floats, parameters: BalanceParameters) -> list[Accusation]:
    """Select the members whose uploads explain the imbalance, the best explanation first.

    If two of them invent much, taking off what one of them does still leaves more than a block can count for. So if
    nobody is found one after the other, several are looked for at once.
    """
    sums = window.uploaded.sum(axis=1)
    order = np.argsort(-sums, kind="stable")[: parameters.most_candidates]
    rows = np.sort(order[sums[order] >= parameters.upload_mib * MIB])
    accused: list[Accusation] = []
    left = imbalance
    while len(rows) > len(accused) < parameters.most_accused:
        best = _best(window, left, _without(rows, accused), parameters)
        if best is None:
            break
        accused.append(best)
        left = left - best.share * window.uploaded[best.row]
    return accused or _select_together(window, imbalance, rows, parameters)


def _without(rows: np.ndarray, accused: list[Accusation]) -> np.ndarray:
    return rows[~np.isin(rows, [one.row for one in accused])]


def _select_together(
    window: Window, imbalance: Floats, rows: np.ndarray, parameters: BalanceParameters
) -> list[Accusation]:
    """Take off whatever reduces the imbalance most; keep those who explain what the others leave of it."""
    chosen = _reduce(window, imbalance, rows, parameters)
    while len(chosen) > 1:
        accused = [_best(window, _left(window, imbalance, chosen, row), np.array([row]), parameters) for row in chosen]
        found = [one for one in accused if one is not None]
        if len(found) == len(chosen):
            return sorted(found, key=lambda one: (-one.gain, one.row))
        weakest = next(row for row, one in zip(reversed(chosen), reversed(accused), strict=True) if one is None)
        del chosen[weakest]
    return []


def _reduce(window: Window, imbalance: Floats, rows: np.ndarray, parameters: BalanceParameters) -> dict[int, float]:
    """Return the members, and the shares of their uploads, that take most off the imbalance, largest first."""
    chosen: dict[int, float] = {}
    while len(rows) and len(chosen) < parameters.most_accused:
        claims = SHARES[:, None, None] * window.uploaded[rows]
        taken = ((np.abs(imbalance) - np.abs(imbalance - claims)) / window.noise).sum(axis=2)
        share, place = np.unravel_index(np.argmax(taken), taken.shape)
        if taken[share, place] <= 0:
            break
        row = int(rows[place])
        chosen[row] = float(SHARES[share])
        imbalance = imbalance - claims[share, place]
        rows = rows[rows != row]
    return chosen


def _left(window: Window, imbalance: Floats, chosen: dict[int, float], but: int) -> Floats:
    """Return the imbalance without what all others are accused of."""
    taken = (share * window.uploaded[row] for row, share in chosen.items() if row != but)
    return np.asarray(imbalance - sum(taken, np.zeros(window.length)))


def _best(window: Window, imbalance: Floats, rows: np.ndarray, parameters: BalanceParameters) -> Accusation | None:
    uploads = window.uploaded[rows]
    claims = SHARES[:, None, None] * uploads
    gains = explained(imbalance, claims, window.noise, parameters.gain_clip)
    totals = gains.sum(axis=2)
    better, worse = (gains > _NOTABLE).sum(axis=2), (gains < -_NOTABLE).sum(axis=2)
    stands = (
        (totals >= parameters.upload_gain)
        & (better >= parameters.upload_blocks)
        & (worse * 3 <= (uploads > 0).sum(axis=1))
        & (gains.max(axis=2) * 2 <= totals)
        & (claims.sum(axis=2) >= parameters.upload_mib * MIB)
    )
    if not stands.any():
        return None
    share, row = np.unravel_index(np.argmax(np.where(stands, totals, -np.inf)), totals.shape)
    return Accusation(int(rows[row]), float(SHARES[share]), gains[share, row])
