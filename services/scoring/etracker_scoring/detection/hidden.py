"""C:hidden: downloads that a member doesn't report, and that the swarm's balance proves."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from etracker_scoring.detection.balance_parameters import BalanceParameters
from etracker_scoring.detection.cusum import MIB
from etracker_scoring.detection.window import Floats, Window, explained

_NEAR_BLOCKS = 2


class HiddenDownload(NamedTuple):
    """A member whose ``left`` fell by ``amounts`` (bytes, per block) that it didn't report as downloaded."""

    row: int
    amounts: Floats
    gain: float
    ratio: float


def find_hidden(window: Window, parameters: BalanceParameters) -> list[HiddenDownload]:
    """Find members whose hidden downloads explain an imbalance, the best explanation first.

    What one explains is taken off before the next is looked for. A check of data that was there already lets ``left``
    fall too; but nobody uploaded that.
    """
    imbalance = window.imbalance
    amounts = np.maximum(window.dropped - window.received, 0)
    candidates = np.flatnonzero(amounts.sum(axis=1) >= parameters.hidden_mib * MIB).tolist()
    found: list[HiddenDownload] = []
    while candidates:
        tried = list(_explanations(window, imbalance, amounts, candidates, parameters))
        if not tried:
            break
        best = max(tried, key=lambda hidden: (hidden.gain, -hidden.row))
        found.append(best)
        candidates.remove(best.row)
        imbalance = imbalance - best.amounts
    return found


def _explanations(
    window: Window, imbalance: Floats, amounts: Floats, candidates: list[int], parameters: BalanceParameters
) -> Iterator[HiddenDownload]:
    for row in candidates:
        hidden = amounts[row]
        gain = float(explained(imbalance, hidden, window.noise, parameters.gain_clip).sum())
        ratio = float(imbalance[hidden > 0].sum() / hidden.sum())
        fits = (
            _stands_out(imbalance, hidden, parameters)
            and parameters.hidden_least_ratio <= ratio <= parameters.hidden_most_ratio
        )
        if fits and gain >= parameters.hidden_gain:
            yield HiddenDownload(row, hidden, gain, ratio)


def _stands_out(imbalance: Floats, hidden: Floats, parameters: BalanceParameters) -> bool:
    """Return whether the imbalance begins and ends with the download; otherwise a check fell into it by accident."""
    during = hidden > 0
    spread = np.convolve(during, np.ones(2 * _NEAR_BLOCKS + 1))
    near = spread[_NEAR_BLOCKS : _NEAR_BLOCKS + len(during)] > 0
    around = np.maximum(imbalance[near & ~during], 0)
    usual = float(around.mean()) if len(around) else 0.0
    more = float(imbalance[during].sum()) - usual * float(during.sum())
    return more >= parameters.hidden_least_ratio * float(hidden.sum())
