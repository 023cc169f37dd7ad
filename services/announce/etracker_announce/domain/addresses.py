"""Where a request comes from, and which addresses are private."""

import enum
import sys
from ipaddress import ip_network
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etracker_shared.language.identity import packed_prefix

# Networks that can't be reached over the Internet: this host, private use, link-local, shared (CGNAT) and multicast.
# The first two bytes of an address show whether it is in one of them, so numpy can look up a whole list at once.
_PRIVATE_NETWORKS = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
    "::/16",
    "fc00::/7",
    "fe80::/9",
    "ff00::/8",
)


class PrivatePeers(enum.StrEnum):
    """Which askers get private addresses."""

    PRIVATE_ASKERS = "private"
    ALWAYS = "always"
    NEVER = "never"


class Source(NamedTuple):
    """The address a request really comes from.

    ``packed``: 4 or 16 bytes, network order. ``prefix``: 7 bytes, the network of one household.
    """

    packed: bytes
    prefix: bytes
    private: bool


def _first_two_bytes(version: int) -> npt.NDArray[np.bool_]:
    """Return a table of whether addresses are private, indexed by their first two bytes as a native number."""
    table = np.zeros(65536, dtype=np.bool_)
    for network in map(ip_network, _PRIVATE_NETWORKS):
        if network.version == version:
            first = int.from_bytes(network.network_address.packed[:2], "big")
            table[first : first + (1 << (16 - network.prefixlen))] = True
    return table[np.arange(65536, dtype=">u2").view("=u2")] if np.little_endian else table


PRIVATE4 = _first_two_bytes(4)
PRIVATE6 = _first_two_bytes(6)
PRIVATE4_BYTES, PRIVATE6_BYTES = PRIVATE4.tobytes(), PRIVATE6.tobytes()


def is_private(packed: bytes) -> bool:
    """Return whether an address can't be reached from outside its own network."""
    table = PRIVATE4_BYTES if len(packed) == 4 else PRIVATE6_BYTES
    return bool(table[int.from_bytes(packed[:2], sys.byteorder)])


def describe_source(packed: bytes) -> Source:
    """Describe an address of 4 or 16 bytes."""
    return Source(packed, packed_prefix(packed), is_private(packed))
