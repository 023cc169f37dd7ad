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
    """Select the members whose uploads explain the imbalance, one after the other, the best explanation first."""
    sums = window.uploaded.sum(axis=1)
    order = np.argsort(-sums, kind="stable")[: parameters.most_candidates]
    rows = np.sort(order[sums[order] >= parameters.upload_mib * MIB])
    accused: list[Accusation] = []
    while len(rows) and len(accused) < parameters.most_accused:
        best = _best(window, imbalance, rows, parameters)
        if best is None:
            break
        accused.append(best)
        imbalance = imbalance - best.share * window.uploaded[best.row]
        rows = rows[rows != best.row]
    return accused


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
