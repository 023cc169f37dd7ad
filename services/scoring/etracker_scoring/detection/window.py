"""What the members of a swarm transferred in the blocks of the window, as arrays, and where they were."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from etracker_scoring.detection.balance_parameters import BalanceParameters
from etracker_scoring.detection.cusum import MIB
from etracker_scoring.detection.records import Identity, Presence, Traffic
from etracker_shared.agreements.anomalies import WINDOW_BLOCKS

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


class Window(NamedTuple):
    """A swarm in a row of blocks, the last of which is being judged.

    ``members`` are sorted, so that their order never matters. ``uploaded``, ``received``, ``dropped``: bytes, a row
    per member and a column per block. ``noise``: bytes, per block.
    """

    first: int
    members: Sequence[Identity]
    uploaded: Floats
    received: Floats
    dropped: Floats
    noise: Floats

    @property
    def length(self) -> int:
        """The number of blocks."""
        return len(self.noise)

    @property
    def imbalance(self) -> Floats:
        """Bytes uploaded that nobody received, per block."""
        return np.asarray(self.uploaded.sum(axis=0) - self.received.sum(axis=0))

    def since(self, block: int) -> "Window":
        """Return the blocks from ``block`` on."""
        start = max(0, block - self.first)
        return Window(
            self.first + start,
            self.members,
            self.uploaded[:, start:],
            self.received[:, start:],
            self.dropped[:, start:],
            self.noise[start:],
        )


def look_back(block: int, traffic: Mapping[int, Mapping[Identity, Traffic]], parameters: BalanceParameters) -> Window:
    """Arrange the traffic of the blocks up to ``block``."""
    first = max(block - WINDOW_BLOCKS + 1, min(traffic, default=block))
    blocks = range(first, block + 1)
    members = sorted({member for number in blocks for member in traffic.get(number, ())})
    rows = {member: row for row, member in enumerate(members)}
    sums = np.zeros((3, len(members), len(blocks)))
    for column, number in enumerate(blocks):
        if found := traffic.get(number):
            sums[:, [rows[member] for member in found], column] = np.array(list(found.values()), dtype=np.float64).T
    return Window(first, members, sums[0], sums[1], sums[2], noise_of_blocks(sums[0], sums[1], parameters))


def noise_of_blocks(uploaded: Floats, received: Floats, parameters: BalanceParameters) -> Floats:
    """Return the standard deviation of an honest swarm's balance in each block, in bytes."""
    squares = (uploaded**2).sum(axis=0) + (received**2).sum(axis=0)
    return np.asarray(np.sqrt((parameters.noise_floor_mib * MIB) ** 2 + parameters.noise_share**2 * squares))


def where(presence: Presence, first: int, length: int) -> tuple[Booleans, Booleans]:
    """Return in which of ``length`` blocks from ``first`` on a member announced, and in which it seeded."""
    shifts = [presence.block - number for number in range(first, first + length)]
    present = np.array([shift >= 0 and presence.present >> shift & 1 for shift in shifts], dtype=np.bool_)
    seeded = np.array([shift >= 0 and presence.seeded >> shift & 1 for shift in shifts], dtype=np.bool_)
    return present, seeded


def without_delays(imbalance: Floats) -> Floats:
    """Return an imbalance (blocks along the last axis) without what the next block or the last one makes up for.

    Each member reports at times of its own, so an upload may be counted one block earlier or later than its download.
    """
    settled = np.array(imbalance, dtype=np.float64)
    for lacking, left_over in ((np.s_[..., :-1], np.s_[..., 1:]), (np.s_[..., 1:], np.s_[..., :-1])):
        moved = np.minimum(np.maximum(-settled[lacking], 0), np.maximum(settled[left_over], 0))
        settled[lacking] += moved
        settled[left_over] -= moved
    return settled


def explained(imbalance: Floats, share: Floats, noise: Floats, clip: float) -> Floats:
    """Return, per block, how much better the imbalance fits the noise without ``share``, in squared sigmas."""
    with_it = np.minimum((without_delays(imbalance) / noise) ** 2, clip)
    return np.asarray(with_it - np.minimum((without_delays(imbalance - share) / noise) ** 2, clip))
