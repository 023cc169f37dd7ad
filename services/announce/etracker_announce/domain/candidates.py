"""Who of a swarm's candidates may be introduced to an asker at all, whatever the policy."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etracker_announce.domain.addresses import PRIVATE4, PRIVATE6, PrivatePeers
from etracker_announce.domain.swarm import PeerFlag, Records

Mask = npt.NDArray[np.bool_]

_UNREACHABLE = int(PeerFlag.UNREACHABLE)  # numpy takes its time with an enum
_SEEDING = int(PeerFlag.SEEDER | PeerFlag.PARTIAL_SEED)


class Family(NamedTuple):
    """The fields of one address family in a record, and where the endpoint lies in its bytes."""

    seen: str
    endpoint: str
    offset: int
    private: Mask


FAMILY4 = Family("seen4", "endpoint4", 50, PRIVATE4)
FAMILY6 = Family("seen6", "endpoint6", 56, PRIVATE6)


class Visibility(NamedTuple):
    """What one asker may see of a swarm.

    ``identity``: the asker's; its key's other clients are as invisible as itself. ``families``: those
    the asker is known on. ``oldest_seen``: endpoints last seen before this Unix time have expired.
    """

    identity: int
    families: tuple[Family, ...]
    oldest_seen: int
    private_addresses: bool


def sees_private(setting: PrivatePeers, *, asker_is_private: bool) -> bool:
    """Tell whether an asker is handed private addresses."""
    if setting is PrivatePeers.PRIVATE_ASKERS:
        return asker_is_private
    return setting is PrivatePeers.ALWAYS


def introducible(candidates: Records, visibility: Visibility) -> Records:
    """Keep the candidates (a contiguous array) an asker may be introduced to."""
    if not len(candidates):
        return candidates
    mask = candidates["identity"] != visibility.identity
    mask &= candidates["flags"] < _UNREACHABLE  # the highest bit
    usable = _usable(candidates, visibility.families[0], visibility)
    for family in visibility.families[1:]:
        usable |= _usable(candidates, family, visibility)
    mask &= usable
    return _keep(candidates, mask)


def leechers_among(candidates: Records) -> Records:
    """Leave out who seeds, in whole or in part."""
    return _keep(candidates, candidates["flags"] & _SEEDING == 0)


def endpoints(chosen: Records, family: Family, visibility: Visibility) -> Records:
    """Return those of the chosen peers that have an endpoint of a family."""
    if visibility.families == (family,):
        return chosen
    if family not in visibility.families or not len(chosen):
        return chosen[:0]
    return _keep(chosen, _usable(chosen, family, visibility))


def _keep(records: Records, mask: Mask) -> Records:
    # A mask as an index copies field by field, at five times the cost.
    kept: Records = records.take(mask.nonzero()[0])
    return kept


def _usable(records: Records, family: Family, visibility: Visibility) -> Mask:
    usable: Mask = records[family.seen] >= visibility.oldest_seen
    if not visibility.private_addresses:
        first_two_bytes = np.ndarray(records.shape, np.uint16, records, family.offset, records.strides)
        usable &= ~family.private.take(first_two_bytes)
    return usable
