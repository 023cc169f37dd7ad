"""The client's address: the socket's, or the one that a trusted proxy reports."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_HOPS = 8
"""The most proxies that a deployment may have in a row. Hops further back in a header may be made up."""
MAX_ADDRESS_CHARACTERS = 100
"""Enough for an IPv6 address in brackets with a zone and a port."""


def parse_networks(text: str) -> tuple[Network, ...]:
    """Parse networks separated by commas or spaces; a bare address is a network of one address.

    Raises:
        ValueError: one of them isn't a network.
    """
    return tuple(ip_network(item, strict=False) for item in text.replace(",", " ").split())


def parse_address(text: str) -> Address:
    """Parse an address, without zone and port, and fold ``::ffff:a.b.c.d`` to IPv4.

    Raises:
        ValueError: it isn't an address.
    """
    if len(text) > MAX_ADDRESS_CHARACTERS:
        raise ValueError("too long for an address")
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    address = ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    """Return whether an address is in one of the trusted networks."""
    return any(address in network for network in trusted)


def client_address(socket_address: str, forwarded_for: str, trusted: Sequence[Network]) -> Address:
    """Return the right-most address that isn't a trusted proxy's.

    ``forwarded_for``: the ``X-Forwarded-For`` header, or several joined by commas; it is only believed if a trusted
    proxy sent it. If every hop is trusted, or a hop is unreadable, the result is the left-most address that a trusted
    proxy reported. Only the last :data:`MAX_HOPS` hops are read.

    Raises:
        ValueError: the socket has no IP address (a Unix socket).
    """
    address = parse_address(socket_address)
    for hop in reversed(forwarded_for.rsplit(",", MAX_HOPS)[-MAX_HOPS:]):
        if not is_trusted(address, trusted):
            break
        try:
            address = parse_address(hop)
        except ValueError:
            break
    return address
