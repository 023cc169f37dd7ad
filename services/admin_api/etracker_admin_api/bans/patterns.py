"""What can be banned, as operators write it: a network, the start of a peer_id, or an infohash."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network, summarize_address_range

from etracker_admin_api.errors import BanError
from etracker_admin_api.http.infohashes import parse_info_hash
from etracker_admin_api.peer_ids import MIN_PREFIX_BYTES, parse_peer_id_prefix, show_peer_id
from etracker_shared.language.addresses import Address, Network

WIDEST = {4: 8, 6: 16}
"""The shortest prefix of a network that can be banned at all, by IP version."""
WIDE = {4: 16, 6: 32}
"""Shorter prefixes need confirmation."""

_MAPPED = IPv6Network("::ffff:0:0/96")
_PRIVATE = {
    4: ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    6: ("::1/128", "fc00::/7", "fe80::/10"),
}


def _bounds(network: Network) -> tuple[int, int]:
    first = int(network.network_address)
    return first, first | (1 << network.max_prefixlen - network.prefixlen) - 1


_PRIVATE_BOUNDS = {version: [_bounds(ip_network(text)) for text in texts] for version, texts in _PRIVATE.items()}
"""The first and last address of each, as numbers: comparing those is ten times as fast as comparing networks."""


class BanKind(enum.StrEnum):
    """What is banned: a network or address, clients by the start of their peer_id, or a torrent by its infohash."""

    NETWORK = "network"
    CLIENT = "client"
    TORRENT = "torrent"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Something to ban. ``value``: a network, or the bytes of a prefix or infohash."""

    kind: BanKind
    value: Network | bytes

    @property
    def text(self) -> str:
        """Return the text that operators see; parsing it gives the same pattern."""
        if not isinstance(self.value, bytes):
            return str(self.value)
        return show_peer_id(self.value) if self.kind is BanKind.CLIENT else self.value.hex()

    @property
    def stored(self) -> str | bytes:
        """Return the value for an SQL statement: a network as text, everything else as bytes."""
        return self.value if isinstance(self.value, bytes) else str(self.value)


def parse_pattern(kind: BanKind, text: str) -> Pattern:
    """Parse what an operator wants to ban.

    Raises:
        BanError: it can't be banned; the message says why.
        PeerIdError: it isn't the start of a peer_id.
        InfoHashError: it isn't an infohash.
    """
    if kind is BanKind.NETWORK:
        return Pattern(kind, parse_network(text))
    if kind is BanKind.CLIENT:
        return Pattern(kind, parse_peer_id_prefix(text))
    return Pattern(kind, parse_info_hash(text))


def parse_network(text: str) -> Network:
    """Parse an address or a network in CIDR notation, and fold ``::ffff:a.b.c.d`` to IPv4.

    Raises:
        BanError: it is neither, or so wide that it must be a mistake.
    """
    text = text.strip()
    try:
        network = ip_network(text)
    except ValueError:
        raise BanError(_explain_network(text)) from None
    if getattr(network.network_address, "scope_id", None):
        raise BanError("An address with a zone (%) means something on one machine only.")
    return _check_width(_fold(network))


def parse_range(first: str, last: str) -> Iterator[Network]:
    """Parse a range of addresses into the networks that make it up.

    Raises:
        BanError: it isn't a range, or contains a network that can't be banned.
    """
    try:
        networks: list[Network] = list(summarize_address_range(ip_address(first.strip()), ip_address(last.strip())))
    except (ValueError, TypeError):
        raise BanError("This isn't a range of addresses, such as 203.0.113.0-203.0.113.255.") from None
    return (_check_width(_fold(network)) for network in networks)


def doubt(pattern: Pattern, caller: Address) -> str | None:
    """Return why a ban looks like a mistake and needs confirmation; None if it doesn't."""
    if not isinstance(pattern.value, bytes):
        return _doubt_network(pattern.value, caller)
    if pattern.kind is BanKind.CLIENT and len(pattern.value) == MIN_PREFIX_BYTES:
        return f"{pattern.text} is the start of the peer_ids of many different clients."
    return None


def _doubt_network(network: Network, caller: Address) -> str | None:
    if caller in network:
        return f"{network} contains your own address, {caller}."
    if network.prefixlen < WIDE[network.version]:
        return f"{network} contains {network.num_addresses:,} addresses."
    first, last = _bounds(network)
    if any(first <= end and start <= last for start, end in _PRIVATE_BOUNDS[network.version]):
        return f"{network} is private: all announces that come through a proxy there would be refused."
    return None


def _fold(network: Network) -> Network:
    if isinstance(network, IPv4Network) or not network.overlaps(_MAPPED):
        return network
    if not network.subnet_of(_MAPPED):
        raise BanError(f"{network} contains all IPv4 addresses, as they are written in IPv6.")
    return ip_network((network.network_address.packed[12:], network.prefixlen - 96))


def _check_width(network: Network) -> Network:
    if network.prefixlen < WIDEST[network.version]:
        raise BanError(f"{network} is too wide: the widest networks that can be banned are /8 (IPv4) and /16 (IPv6).")
    return network


def _explain_network(text: str) -> str:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return "This is neither an address nor a network in CIDR notation, such as 203.0.113.0/24 or 2001:db8::/32."
    address = text.partition("/")[0]
    return f"{text} is an address inside a network: write {network} for the network or {address} for the address."
