"""What speaks against an accusation: somebody may have received the uploads without reporting it.

A hidden downloader makes every honest seeder that feeds it look as if it invented uploads.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from etracker_scoring.detection.balance_parameters import BalanceParameters
from etracker_scoring.detection.cusum import MIB
from etracker_scoring.detection.records import Identity, Presence
from etracker_scoring.detection.stalled import find_stalled
from etracker_scoring.detection.uploads import Accusation
from etracker_scoring.detection.window import Booleans, Floats, Window, noise_of_blocks, where, without_delays

_NOTABLE = 0.7
_STEPS = np.linspace(0, 1, 51)
_OUTLIER_SIGMAS = 3.0
QUIET_BLOCKS = 3
"""Least blocks without downloads that show whether the others feed somebody, too."""
_QUIET_SHARE = 0.01
"""A block is without downloads if they are less than this share of what the accused uploaded in it."""


class Circumstances(NamedTuple):
    """What the swarm did in the blocks that an accusation explains.

    ``uploaded``: by the accused since the window began, in bytes. ``others_received``: by the others, in that time.
    ``rest_ratio``: the others' uploads over all downloads. ``surplus_share``: the others' uploads in blocks without
    downloads, as a share of the accused's; 0 if there are fewer than three such blocks (``quiet_blocks``).
    ``shared_fit``: what the accusation leaves unexplained over what would be left if somebody took the same share of
    everybody's uploads. If it isn't well below 1, the accused may be just one of those that feed a hidden downloader.
    ``unexplained``: what the accusation leaves, in sigmas per block. ``otherwise_closed``: whether the swarm would
    count as closed without what its members are accused of.
    """

    uploaded: float
    others_received: float
    explained_blocks: int
    witnesses: int
    rest_ratio: float
    surplus_share: float
    quiet_blocks: int
    shared_fit: float
    unexplained: float
    otherwise_closed: bool
    stalled: int
    exceeds: bool


def examine(
    window: Window,
    accusation: Accusation,
    *,
    since: int,
    received: Floats,
    size: int | None,
    presence: Mapping[Identity, Presence],
    parameters: BalanceParameters,
    fellows: Sequence[Accusation] = (),
) -> Circumstances:
    """Look at the swarm around an accusation.

    ``since``: where the blocks of the accusation and of ``received`` begin; the latter includes hidden downloads.
    ``fellows``: the others that are accused with it. They are no witnesses, and what they upload counts for nothing.
    """
    whole, window = window, window.since(since)
    own = window.uploaded[accusation.row]
    rows = [accusation.row, *(fellow.row for fellow in fellows)]
    others = window.uploaded.sum(axis=0) - window.uploaded[rows].sum(axis=0)
    blocks = accusation.gains > _NOTABLE
    others_received = float(received.sum() - window.received[accusation.row].sum())
    bound = 1.3 * others_received + 512 * MIB + 0.05 * (size or 0)
    quiet = (own > 0) & (received <= _QUIET_SHARE * own)
    left_over = without_delays(others - received)
    misfit = _misfit(own, own + others - received, window.noise)
    return Circumstances(
        float(own.sum()),
        others_received,
        int(blocks.sum()),
        _count_witnesses(window, {window.members[row] for row in rows}, blocks, presence, parameters),
        _rest_ratio(own[blocks], left_over[blocks], received[blocks]),
        float(np.maximum(left_over[quiet], 0).sum() / own[quiet].sum()) if quiet.sum() >= QUIET_BLOCKS else 0.0,
        int(quiet.sum()),
        misfit / max(_misfit(own + others, own + others - received, window.noise), 1e-9),
        float(np.sqrt(misfit / max((own > 0).sum(), 1))),
        _is_otherwise_closed(whole, [accusation, *fellows], since, parameters),
        sum(row not in rows for row in find_stalled(whole, since, presence, parameters)),
        float(own.sum()) > bound,
    )


def _count_witnesses(
    window: Window,
    accused: Collection[Identity],
    blocks: Booleans,
    presence: Mapping[Identity, Presence],
    parameters: BalanceParameters,
) -> int:
    needed = parameters.witness_share * blocks.sum()
    return sum(
        where(stay, window.first, window.length)[1][blocks].sum() >= needed
        for member, stay in presence.items()
        if member not in accused
    )


def _rest_ratio(own: Floats, left_over: Floats, received: Floats) -> float:
    """Return the others' uploads over all downloads; a few among large invented ones don't count."""
    taken = float(received.sum())
    rest = max(0.0, taken + float(left_over.sum()) - 0.05 * float(own.sum()))
    return rest / max(taken, 1.0) if rest else 0.0


def _misfit(uploads: Floats, imbalance: Floats, noise: Floats) -> float:
    """Return what the best share of ``uploads`` leaves of an imbalance, in squared sigmas, without single outliers."""
    left = np.abs(imbalance - _STEPS[:, None] * uploads) / noise
    return float((np.minimum(left, _OUTLIER_SIGMAS) ** 2).sum(axis=1).min())


def _is_otherwise_closed(
    window: Window, accused: Sequence[Accusation], since: int, parameters: BalanceParameters
) -> bool:
    """Return whether the others alone earn what a torrent that isn't flagged as private has to earn.

    Invented uploads would hide in a noise that includes them, so they are taken out of that, too.
    """
    claims = np.zeros_like(window.uploaded)
    for one in accused:
        claims[one.row, max(0, since - window.first) :] = one.share * window.uploaded[one.row, -len(one.gains) :]
    uploaded = window.uploaded - claims
    noise = noise_of_blocks(uploaded, window.received, parameters)
    sent, received = uploaded.sum(axis=0), window.received.sum(axis=0)
    left_over = np.abs(without_delays(sent - received))
    most = np.minimum(parameters.balanced_sigmas * noise, parameters.balanced_most_share * np.maximum(sent, received))
    active = np.maximum(sent, received) > parameters.active_block_mib * MIB
    balanced = (active & (left_over < most)).sum()
    return bool(active.sum() >= parameters.learning_blocks and balanced >= parameters.learning_share * active.sum())
