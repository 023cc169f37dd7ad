"""Where a request comes from, and which addresses may be handed out to whom."""

import enum
import sys
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_network
from socket import AF_INET, inet_pton
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etracker_shared.addresses import Network, client_address, is_trusted, parse_address
from etracker_shared.identity import packed_prefix

REMEMBERED_CLIENTS = 65536
REMEMBERED_PROXIES = 1024
REMEMBERED_CHARACTERS = 128
"""The longest header that is remembered: its sender chooses its length."""

# Networks nobody on the Internet can dial: this host, private use, link-local, shared (CGNAT) and multicast. All of
# them are decided by the first two bytes, so that numpy can look up a whole list of peers at once.
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
    """Who is told private addresses."""

    PRIVATE_ASKERS = "private"
    ALWAYS = "always"
    NEVER = "never"


class Client(NamedTuple):
    """The address a request really comes from.

    ``packed``: 4 or 16 bytes, network order. ``prefix``: 7 bytes, the network of one household.
    """

    packed: bytes
    prefix: bytes
    private: bool


def _first_two_bytes(version: int) -> npt.NDArray[np.bool_]:
    """Tabulate which first two bytes (as a native number) begin a private address."""
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
    """Tell whether nobody outside the address's own network can dial it."""
    table = PRIVATE4_BYTES if len(packed) == 4 else PRIVATE6_BYTES
    return bool(table[int.from_bytes(packed[:2], sys.byteorder)])


def describe_client(packed: bytes) -> Client:
    """Describe an address (4 or 16 bytes) the way announces need it."""
    return Client(packed, packed_prefix(packed), is_private(packed))


ClientFinder = Callable[[str, str], Client]
"""From the socket's address and the ``X-Forwarded-For`` header ("" if none) to the client."""


def client_finder(trusted: tuple[Network, ...]) -> ClientFinder:
    """Build the function that tells who asks.

    Nearly everybody comes over IPv4, by themselves or through one proxy: that is told in a microsecond, whoever it is.
    Parsing anything else is slow, so that some are remembered.

    The function raises ValueError for a socket without an address.
    """

    @lru_cache(maxsize=REMEMBERED_PROXIES)
    def is_proxy(socket_address: str) -> bool:
        return is_trusted(parse_address(socket_address), trusted)

    @lru_cache(maxsize=REMEMBERED_CLIENTS)
    def parse_client(socket_address: str, forwarded_for: str) -> Client:
        return describe_client(client_address(socket_address, forwarded_for, trusted).packed)

    def find_client(socket_address: str, forwarded_for: str) -> Client:
        believed = forwarded_for if forwarded_for and is_proxy(socket_address) else ""
        try:
            return describe_client(inet_pton(AF_INET, believed or socket_address))
        except (OSError, ValueError):  # several hops, a port, IPv6, or rubbish
            parse = parse_client if len(believed) <= REMEMBERED_CHARACTERS else parse_client.__wrapped__
            return parse(socket_address, believed)

    return find_client
