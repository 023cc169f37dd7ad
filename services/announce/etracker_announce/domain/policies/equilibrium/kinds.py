"""The fields of a record that the rules read, and the kind of a candidate: its tier, plus five if it leeches."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from etracker_announce.domain.policies.equilibrium.parameters import TIERS
from etracker_announce.domain.swarm import RECORD, PeerFlag

KINDS = 2 * TIERS

_FIELDS: Mapping[str, tuple[Any, ...]] = RECORD.fields or {}

READ: np.dtype[np.void] = np.dtype(
    {
        "names": ["pair_hash", "first_seen", "seen4", "seen6", "tier_and_flags"],
        "formats": ["<u4", "<u4", "<u4", "<u4", "<u2"],
        "offsets": [_FIELDS[name][1] for name in ("pair_hash", "first_seen", "seen4", "seen6", "tier")],
        "itemsize": RECORD.itemsize,
    }
)
"""Parts of :data:`~etracker_announce.domain.swarm.RECORD`: the adjacent tier and flags as one number."""

_SEEDING = int(PeerFlag.SEEDER | PeerFlag.PARTIAL_SEED) << 8

KIND_OF = np.array([min(two & 255, TIERS - 1) + (0 if two & _SEEDING else TIERS) for two in range(2**16)], np.intp)
"""The kind of a candidate, indexed by ``tier_and_flags``."""


def ages_of(read: npt.NDArray[np.void]) -> npt.NDArray[np.float64]:
    """Return the ages that leechers had reached at their last announce; ``read``: as :data:`READ`."""
    ages: npt.NDArray[np.float64] = np.maximum(read["seen4"], read["seen6"]).astype(np.float64) - read["first_seen"]
    return ages
