"""Peer records, described for operators."""

from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address

from etracker_admin_api.swarms.models import PeerV1
from etracker_shared.agreements.peer_records import PeerFlag, PeerRecord

_CLIENT_BYTES = 8
"""A peer_id starts with the name and version of its client: ``-qB4520-``."""


def describe_peer(record: PeerRecord, key_ids: Mapping[bytes, int]) -> PeerV1 | None:
    """Describe a record; None if it no longer has an address. ``key_ids``: by the first 8 bytes of the key hash."""
    address4, port4 = _endpoint(record.endpoint4) if record.seen4 else (None, None)
    address6, port6 = _endpoint(record.endpoint6) if record.seen6 else (None, None)
    address, port = (address4, port4) if address4 is not None else (address6, port6)
    if address is None or port is None:
        return None
    guest = PeerFlag.GUEST in record.flags
    return PeerV1(
        address=str(address),
        address6=None if address6 is None else str(address6),
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
    """Return the part of a peer_id that names the client; bytes that aren't printable ASCII become dots."""
    return "".join(chr(byte) if 0x20 < byte < 0x7F else "." for byte in peer_id[:_CLIENT_BYTES])


def _endpoint(endpoint: bytes) -> tuple[IPv4Address | IPv6Address, int]:
    address = endpoint[:-2]
    port = int.from_bytes(endpoint[-2:], "big")
    return (IPv4Address(address) if len(address) == 4 else IPv6Address(address)), port


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
