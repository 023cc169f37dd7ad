"""Selects the candidates that an asker may get at all, whatever the policy."""

from collections.abc import Mapping, Sequence
from struct import Struct
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etracker_announce.domain.addresses import PRIVATE4, PRIVATE4_BYTES, PRIVATE6, PRIVATE6_BYTES, PrivatePeers
from etracker_announce.domain.swarm import PeerFlag, Records
from etracker_shared.language.addresses import Address

Mask = npt.NDArray[np.bool_]

_UNREACHABLE = int(PeerFlag.UNREACHABLE)  # numpy is slow with an enum
_SEEDING = int(PeerFlag.SEEDER | PeerFlag.PARTIAL_SEED)


class Family(NamedTuple):
    """The fields of one address family in a record, and the endpoint's offset in the record's bytes.

    ``private`` and ``private_bytes``: whether an endpoint is private, by its first two bytes as a native number.
    ``few``: the layout of a record, reduced to identity, last seen, flags and the endpoint's first two bytes.
    """

    seen: str
    endpoint: str
    offset: int
    private: Mask
    private_bytes: bytes
    few: Struct


FAMILY4 = Family("seen4", "endpoint4", 50, PRIVATE4, PRIVATE4_BYTES, Struct("=Q32xI5xBH22x"))
FAMILY6 = Family("seen6", "endpoint6", 56, PRIVATE6, PRIVATE6_BYTES, Struct("=Q36xIxB6xH16x"))

_FEW = 40
"""Up to this many records a loop is faster than numpy: 0.17 us per record, against 7 us for nearly any number."""


class Visibility(NamedTuple):
    """What one asker may see of a swarm.

    ``identity``: the asker's; it sees neither itself nor the other clients of its key. ``families``: the address
    families on which it is known. ``oldest_seen``: endpoints last seen before this Unix time have expired.
    ``external``: the public address that replaces private ones which the asker doesn't see, by the name of a family's
    endpoint field; private addresses of a family without one are left out.
    """

    identity: int
    families: tuple[Family, ...]
    oldest_seen: int
    private_addresses: bool
    external: Mapping[str, bytes] = MappingProxyType({})


def sees_private(setting: PrivatePeers, *, asker_is_private: bool) -> bool:
    """Return whether an asker gets private addresses."""
    if setting is PrivatePeers.PRIVATE_ASKERS:
        return asker_is_private
    return setting is PrivatePeers.ALWAYS


def introducible(candidates: Records, visibility: Visibility) -> Records:
    """Keep the candidates (a contiguous array) an asker may be introduced to."""
    if not len(candidates):
        return candidates
    if len(candidates) <= _FEW and len(visibility.families) == 1:
        return _introducible_of_few(candidates, visibility, visibility.families[0])
    mask = candidates["identity"] != visibility.identity
    mask &= candidates["flags"] & _UNREACHABLE == 0
    usable = _usable(candidates, visibility.families[0], visibility)
    for family in visibility.families[1:]:
        usable |= _usable(candidates, family, visibility)
    mask &= usable
    return _keep(candidates, mask)


def _introducible_of_few(candidates: Records, visibility: Visibility, family: Family) -> Records:
    identity, oldest_seen = visibility.identity, visibility.oldest_seen
    anywhere = visibility.private_addresses or family.endpoint in visibility.external
    private = family.private_bytes
    places = [
        place
        for place, (who, seen, flags, network) in enumerate(family.few.iter_unpack(candidates.data))
        if who != identity and not flags & _UNREACHABLE and seen >= oldest_seen and (anywhere or not private[network])
    ]
    return candidates if len(places) == len(candidates) else candidates.take(places)


def leechers_among(candidates: Records) -> Records:
    """Leave out seeders and partial seeds."""
    return _keep(candidates, candidates["flags"] & _SEEDING == 0)


def endpoints(chosen: Records, family: Family, visibility: Visibility) -> Records:
    """Return the chosen peers that have an endpoint of a family."""
    if visibility.families == (family,):
        return chosen
    if family not in visibility.families or not len(chosen):
        return chosen[:0]
    return _keep(chosen, _usable(chosen, family, visibility))


def external_addresses(addresses: Sequence[Address]) -> Mapping[str, bytes]:
    """Return the tracker's public addresses by the name of their family's endpoint field, at most one per family."""
    return {(FAMILY4 if len(one.packed) == 4 else FAMILY6).endpoint: one.packed for one in addresses}


def seen_from_outside(chosen: Records, family: Family, visibility: Visibility) -> Records:
    """Give peers on the tracker's own network its public address, unless the asker sees private ones.

    Each port of that address can belong to only one peer: if several peers get the same endpoint, the first one stays.
    """
    address = visibility.external.get(family.endpoint)
    if address is None or visibility.private_addresses or not len(chosen):
        return chosen
    private = _private(chosen, family)
    if not private.any():
        return chosen
    chosen = chosen.copy()
    addresses = np.ndarray((len(chosen), len(address)), np.uint8, chosen, family.offset, (chosen.itemsize, 1))
    addresses[private] = np.frombuffer(address, np.uint8)
    places = {endpoint.tobytes(): place for place, endpoint in reversed(list(enumerate(chosen[family.endpoint])))}
    return chosen.take(sorted(places.values()))


def _keep(records: Records, mask: Mask) -> Records:
    # Indexing with a mask copies field by field, at five times the cost.
    places = mask.nonzero()[0]
    return records if len(places) == len(records) else records.take(places)


def _usable(records: Records, family: Family, visibility: Visibility) -> Mask:
    usable: Mask = records[family.seen] >= visibility.oldest_seen
    if not visibility.private_addresses and family.endpoint not in visibility.external:
        usable &= ~_private(records, family)
    return usable


def _private(records: Records, family: Family) -> Mask:
    first_two_bytes = np.ndarray(records.shape, np.uint16, records, family.offset, records.strides)
    return family.private.take(first_two_bytes)
