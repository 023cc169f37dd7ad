"""Lists in which no network is over-represented: one address can't swamp a torrent, whatever the policy.

At most two peers of one address are introduced, and at most four of one IPv4 /24 or IPv6 /48, unless leaving out the
others would make the list shorter.
"""

from struct import Struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etracker_announce.domain.policies.random_peers import lots_of, seed_of_lots
from etracker_announce.domain.swarm import Records

PER_ADDRESS = 2
PER_NETWORK = 4

_OFFSET4, _OFFSET6 = 50, 56
_ADDRESS4 = Struct(">50xI20x")
_FEW = 40
"""Up to this many records a loop is faster than numpy."""

_HOST_BITS4 = 8
_HOST_BITS6 = 16
"""The host bits in the first eight bytes of an IPv6 address, whose first six bytes are the network."""

Numbers = npt.NDArray[np.uint64]
Places = npt.NDArray[np.intp]


class Thinned(NamedTuple):
    """``spread``: candidates of which no network has too many. ``crowd``: the others."""

    spread: Records
    crowd: Records


def thin(candidates: Records, seed: int) -> Thinned | None:
    """Set surplus candidates of crowded networks aside; None if there are none.

    Their secret pair hashes and the seed decide which ones stay.
    """
    if len(candidates) <= PER_ADDRESS or not _may_be_crowded(candidates):
        return None
    lots = lots_of(candidates["pair_hash"], np.uint64(seed_of_lots(seed)))
    stays = np.ones(len(candidates), np.bool_)
    over4, over6 = _networks4(candidates), _networks6(candidates)
    _limit(stays, over4, lots, PER_ADDRESS)
    _limit(stays, over4 >> np.uint64(_HOST_BITS4), lots, PER_NETWORK)
    _limit(stays, _hosts6(candidates, over6), lots, PER_ADDRESS)
    _limit(stays, over6 >> np.uint64(_HOST_BITS6), lots, PER_NETWORK)
    if stays.all():
        return None
    return Thinned(candidates.take(stays.nonzero()[0]), candidates.take((~stays).nonzero()[0]))


def _may_be_crowded(candidates: Records) -> bool:
    """Return whether some network may have too many candidates. Quick, because nearly always the answer is no."""
    if len(candidates) <= _FEW and _are_apart(candidates):
        return False
    over4 = np.ndarray(candidates.shape, ">u4", candidates, _OFFSET4, candidates.strides).astype(np.uint32)
    over4.sort()
    if over4[0]:
        return _has_neighbours(over4, _HOST_BITS4)
    over6 = _networks6(candidates)
    over6.sort()
    of_each = (over4[over4.searchsorted(1) :], _HOST_BITS4), (over6[over6.searchsorted(1) :], _HOST_BITS6)
    return any(_has_neighbours(networks, host_bits) for networks, host_bits in of_each)


def _are_apart(candidates: Records) -> bool:
    """Return whether so many IPv4 addresses and networks are different that none can have too many candidates."""
    number = len(candidates)
    addresses = {address for (address,) in _ADDRESS4.iter_unpack(candidates.data)}
    if len(addresses) <= number - PER_ADDRESS:
        return False
    return len({address >> _HOST_BITS4 for address in addresses}) > number - PER_NETWORK


def _has_neighbours(networks: npt.NDArray[np.unsignedinteger], host_bits: int) -> bool:
    """Return whether these sorted numbers contain an address or a network more often than a list may."""
    if len(networks) <= PER_ADDRESS:
        return False
    if not (networks[PER_ADDRESS:] - networks[:-PER_ADDRESS]).min():
        return True
    if len(networks) <= PER_NETWORK:
        return False
    return int((networks[PER_NETWORK:] - networks[:-PER_NETWORK]).min()) < 1 << host_bits


def _networks4(candidates: Records) -> Numbers:
    """Return IPv4 addresses as numbers, 0 where there is none."""
    return np.ndarray(candidates.shape, ">u4", candidates, _OFFSET4, candidates.strides).astype(np.uint64)


def _networks6(candidates: Records) -> Numbers:
    """Return the first eight bytes of IPv6 addresses as numbers, 0 where there is none."""
    return np.ndarray(candidates.shape, ">u8", candidates, _OFFSET6, candidates.strides).astype(np.uint64)


def _hosts6(candidates: Records, over6: Numbers) -> Numbers:
    """Return a number for each IPv6 address, 0 where there is none."""
    hosts = np.ndarray(candidates.shape, ">u8", candidates, _OFFSET6 + 8, candidates.strides).astype(np.uint64)
    return np.where(over6 == 0, over6, over6 * np.uint64(0x9E3779B97F4A7C15) ^ hosts)


def _limit(stays: npt.NDArray[np.bool_], groups: Numbers, lots: Numbers, most: int) -> None:
    """Let at most ``most`` of each group stay, those with the smallest lots; 0 means no group."""
    places = (stays & (groups != 0)).nonzero()[0]
    if len(places) <= most:
        return
    order = places[np.lexsort((lots[places], groups[places]))]
    ordered = groups[order]
    surplus = order[most:][ordered[most:] == ordered[:-most]]
    stays[surplus] = False
