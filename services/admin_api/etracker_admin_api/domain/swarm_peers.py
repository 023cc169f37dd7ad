"""The peers of a swarm as operators see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address

from etracker_shared.peer_records import PeerFlag, PeerRecord

_CLIENT_BYTES = 8
"""Clients write who they are into the first bytes of their peer_id: ``-qB4520-``."""


@dataclass(frozen=True, slots=True)
class SwarmPart:
    """Some records of a swarm, and how many peers of each kind it has; a partial seed is neither."""

    records: Sequence[PeerRecord]
    seeders: int
    leechers: int
    truncated: bool


@dataclass(frozen=True, slots=True)
class Peer:
    """One peer. ``key_id`` is None for guests, and for keys that are gone."""

    address: IPv4Address | IPv6Address
    address6: IPv6Address | None
    port: int
    port6: int | None
    seeder: bool
    partial: bool
    tier: int
    guest: bool
    reachable: bool
    client: str
    key_id: int | None
    first_seen: datetime
    last_seen: datetime


def describe_peer(record: PeerRecord, key_ids: Mapping[bytes, int]) -> Peer | None:
    """Describe a record; None if it holds no address any more. ``key_ids``: by identity."""
    address4, port4 = _endpoint(record.endpoint4) if record.seen4 else (None, None)
    address6, port6 = _endpoint(record.endpoint6) if record.seen6 else (None, None)
    address, port = (address4, port4) if address4 is not None else (address6, port6)
    if address is None or port is None:
        return None
    guest = PeerFlag.GUEST in record.flags
    return Peer(
        address=address,
        address6=address6 if isinstance(address6, IPv6Address) else None,
        port=port,
        port6=port6,
        seeder=PeerFlag.SEEDER in record.flags,
        partial=PeerFlag.PARTIAL_SEED in record.flags,
        tier=record.tier,
        guest=guest,
        reachable=PeerFlag.UNREACHABLE not in record.flags,
        client=describe_client(record.peer_id),
        key_id=None if guest else key_ids.get(record.identity),
        first_seen=_moment(record.first_seen),
        last_seen=_moment(max(record.seen4, record.seen6)),
    )


def describe_client(peer_id: bytes) -> str:
    """Write what a peer_id says of its client; what isn't printable ASCII becomes a dot."""
    return "".join(chr(byte) if 0x20 < byte < 0x7F else "." for byte in peer_id[:_CLIENT_BYTES])


def _endpoint(endpoint: bytes) -> tuple[IPv4Address | IPv6Address, int]:
    address = endpoint[:-2]
    port = int.from_bytes(endpoint[-2:], "big")
    return (IPv4Address(address) if len(address) == 4 else IPv6Address(address)), port


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
