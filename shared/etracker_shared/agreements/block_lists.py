"""Block lists: which suspects a recipient was handed, and the address at which it finds its list.

Announce writes the Redis hash :func:`~etracker_shared.agreements.redis_keys.handed` of a *recipient*: the first 8 bytes
of the hash of a key, or of a guest. A *session* is one of the recipient's clients in one torrent. The hash has three
kinds of fields, told apart by their length:

============================== ===== =================================================================================
field                          bytes value
============================== ===== =================================================================================
session, identity of a suspect 16    endpoints in network order (6, 18, or 6 and 18 bytes), then when (Unix seconds, 4
                                     bytes)
the same, ``w`` or ``f``       17    when the session was warned of the offender, or got a failure because of it
``n``                          1     how often the recipient was told of its own anomaly, and when last
============================== ===== =================================================================================

A field counts for :data:`HANDED_SECONDS`. Nothing here decides what a recipient is told: only endpoints in fields of 16
bytes were handed to it, so no other address may reach it.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from hmac import compare_digest
from typing import NamedTuple

HANDED_SECONDS = 86_400
"""How long a hand-out is remembered."""
MOST_HANDED = 64
"""The most fields of one recipient; beyond that, the oldest are removed."""
MOST_KEYS_AT_ADDRESS = 3
"""An address that more keys than this have used within a day is published nowhere: many people may be behind it."""

IDENTITY_BYTES = 8
SESSION_BYTES = 8
FIELD_BYTES = SESSION_BYTES + IDENTITY_BYTES
_TIME_BYTES = 4
_ENDPOINTS = {6: (6,), 18: (18,), 24: (6, 18)}
"""Sizes of the endpoints, by their total size."""

_TAG_BYTES = 7
_ALPHABET = "0123456789bcdfghijklmnpqrstvwxyz"
"""Without the letters a, e, o and u: a token never contains a word on which clients act."""
TOKEN_CHARACTERS = (IDENTITY_BYTES + _TAG_BYTES) * 8 // 5

SHARE_OF_POINTS = 0.6
MOST_PREFIXES = 3


class Handed(NamedTuple):
    """A suspect that a session of the recipient was handed. ``at``: Unix seconds, the last time."""

    session: bytes
    identity: bytes
    endpoints: tuple[bytes, ...]
    at: int


def name_session(secret: bytes, key_hash: bytes, info_hash: bytes, peer_id: bytes) -> bytes:
    """Name a client in a torrent: 8 bytes that say nothing without the deployment's secret."""
    return blake2b(key_hash + info_hash + peer_id, digest_size=SESSION_BYTES, key=secret, person=b"handed").digest()


def name_address(secret: bytes, packed: bytes) -> bytes:
    """Name an address (4 or 16 bytes) in :func:`~etracker_shared.agreements.redis_keys.keys_at`."""
    return blake2b(packed, digest_size=8, key=secret, person=b"keys at").digest()


def pack_handed(endpoints: Sequence[bytes], at: int) -> bytes:
    """Pack the value of a field of 16 bytes: at most one endpoint of each address family, IPv4 first."""
    return b"".join(endpoints) + at.to_bytes(_TIME_BYTES, "little")


def unpack_handed(fields: Mapping[bytes, bytes], now: int) -> Iterator[Handed]:
    """Unpack what a recipient was handed within a day before ``now`` (Unix seconds), skipping all else."""
    for field, value in fields.items():
        sizes = _ENDPOINTS.get(len(value) - _TIME_BYTES)
        if len(field) != FIELD_BYTES or sizes is None:
            continue
        at = int.from_bytes(value[-_TIME_BYTES:], "little")
        if at > now - HANDED_SECONDS:
            endpoints = (value[:6], value[6:24]) if len(sizes) > 1 else (value[: sizes[0]],)
            yield Handed(field[:SESSION_BYTES], field[SESSION_BYTES:], endpoints, at)


def make_token(secret: bytes, recipient: bytes) -> str:
    """Return the token by which a recipient fetches its block list: 24 lower-case letters and digits."""
    number = int.from_bytes(recipient + _tag(secret, recipient))
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(TOKEN_CHARACTERS)))


def parse_token(secret: bytes, token: str) -> bytes | None:
    """Return the recipient (8 bytes) of a token in any case, or None if this deployment didn't make it."""
    digits = [_ALPHABET.find(character) for character in token.lower()]
    if len(digits) != TOKEN_CHARACTERS or min(digits) < 0:
        return None
    number = 0
    for digit in digits:
        number = number << 5 | digit
    packed = number.to_bytes(IDENTITY_BYTES + _TAG_BYTES)
    recipient = packed[:IDENTITY_BYTES]
    return recipient if compare_digest(packed[IDENTITY_BYTES:], _tag(secret, recipient)) else None


def accused_prefixes(points: Mapping[bytes, float]) -> frozenset[bytes]:
    """Return the address prefixes on whose sessions a verdict is carried out; empty for all sessions.

    ``points``: of an identity's evidence, by the prefix that it came from. A stolen key has its evidence from the
    thief's prefix: the owner's sessions are left alone. If it takes more than three prefixes to make up 60 % of the
    points, the offender moves about, and the verdict holds everywhere.
    """
    worst, total, reached = sorted(points, key=lambda prefix: points[prefix], reverse=True), sum(points.values()), 0.0
    for number, prefix in enumerate(worst[:MOST_PREFIXES], 1):
        reached += points[prefix]
        if reached >= SHARE_OF_POINTS * total:
            return frozenset(worst[:number])
    return frozenset()


def _tag(secret: bytes, recipient: bytes) -> bytes:
    return blake2b(recipient, digest_size=_TAG_BYTES, key=secret, person=b"block list").digest()
