"""The lines of an announce log, as facts.

Every announce of a log is read here, so what repeats (keys, addresses, peer_ids, User-Agents) is parsed once.
"""

import ipaddress
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

from etracker_scoring.replay.errors import UnreadableLineError
from etracker_scoring.replay.torrents import parse_info_hash, parse_object
from etracker_shared.agreements.facts import (
    MAX_COUNTER,
    MAX_SUPPRESSED,
    NO_ADDRESS,
    UNKNOWN,
    Event,
    Fact,
    FactFlag,
)
from etracker_shared.language.identity import InfoHash, KeyHash, hash_announce_key, hash_guest, packed_prefix

INTERVAL_SECONDS = 1800
"""The usual interval of a session: logs don't have it."""

_MOST_CACHED = 200_000
_MOST_PREFIXES = 16
_NO_PREFIX = bytes(7)
_LATEST_TIME = 2**33
_PEER_ID_BYTES = 20
_EVENTS = {
    None: Event.REGULAR,
    "started": Event.STARTED,
    "completed": Event.COMPLETED,
    "stopped": Event.STOPPED,
    "paused": Event.PAUSED,
}
_FLAGS = tuple(FactFlag(bits) for bits in range(8))
_GUEST, _FOREIGN = int(FactFlag.GUEST), int(FactFlag.FOREIGN_USER_AGENT)

T = TypeVar("T")
IsForeign = Callable[[bytes, bytes], bool]


class Announce(NamedTuple):
    """A line of a log. ``key``: as in the log, None for a guest."""

    key: str | int | None
    fact: Fact


class AnnounceParser:
    """Reads lines. ``secret``: hashes addresses. ``is_foreign``: whether a User-Agent doesn't fit a peer_id."""

    def __init__(self, secret: bytes, is_foreign: IsForeign) -> None:
        self._secret = secret
        self._is_foreign = is_foreign
        self._key_hashes: dict[str | int, KeyHash] = {}
        self._places: dict[str, tuple[bytes, bytes]] = {}
        self._info_hashes: dict[str, InfoHash] = {}
        self._peer_ids: dict[str, bytes] = {}
        self._foreign: dict[tuple[object, bytes], int] = {}

    def parse(self, line: bytes) -> Announce:
        """Parse a line.

        Raises:
            UnreadableLineError: it has no time, infohash or peer_id, or one of its fields is of the wrong kind.
        """
        fields = parse_object(line)
        try:
            return self._read(fields)
        except (TypeError, UnicodeEncodeError):
            raise UnreadableLineError("a field is of the wrong kind") from None

    def _read(self, fields: Mapping[str, Any]) -> Announce:
        get = fields.get
        key, ip, text, hexadecimal = get("key"), get("ip") or "", get("peer_id", ""), get("info_hash", "")
        peer_id = self._peer_ids.get(text) or _remember(self._peer_ids, text, _parse_peer_id(text))
        place = self._places.get(ip) or _remember(self._places, ip, self._parse_address(ip))
        info_hash = self._info_hashes.get(hexadecimal)
        if info_hash is None:
            info_hash = _remember(self._info_hashes, hexadecimal, parse_info_hash(hexadecimal))
        address_hash, prefix = place
        event = get("event")
        flags = self._flags(get("user_agent"), peer_id) or (_FOREIGN if get("foreign_user_agent") else 0)
        if key is None or key == "":
            key, key_hash, flags = None, hash_guest(peer_id, prefix), flags | _GUEST
        else:
            key_hash = self._key_hashes.get(key) or _remember(self._key_hashes, key, _hash_key(key))
        return Announce(
            key,
            Fact(
                key_hash,
                info_hash,
                peer_id,
                prefix,
                _milliseconds(get("time")),
                _counter(get("uploaded")),
                _counter(get("downloaded")),
                _left(get("left")),
                _counter(get("corrupt")),
                _counter(get("redundant")),
                _EVENTS[event] if event in _EVENTS else _parse_event(event),
                _FLAGS[flags],
                _small(get("interval")) or INTERVAL_SECONDS,
                _MOST_PREFIXES,
                address_hash,
                _port(get("port")),
                _small(get("suppressed")),
            ),
        )

    def _parse_address(self, text: object) -> tuple[bytes, bytes]:
        """Return the hash of an address and its prefix. What isn't an address is the hash of one, from an export."""
        if not isinstance(text, str):
            raise UnreadableLineError("ip isn't a string")
        if not text:
            return NO_ADDRESS, _NO_PREFIX
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            hashed = self._hash(text.encode())
            return hashed, b"\x00" + hashed[:6]
        packed = (getattr(address, "ipv4_mapped", None) or address).packed
        return self._hash(packed), packed_prefix(packed)

    def _hash(self, address: bytes) -> bytes:
        return blake2b(address, key=self._secret, digest_size=8).digest()

    def _flags(self, user_agent: object, peer_id: bytes) -> int:
        if not user_agent:
            return 0
        pair = (user_agent, peer_id)
        known = self._foreign.get(pair)
        if known is None:
            if not isinstance(user_agent, str):
                raise UnreadableLineError("user_agent isn't a string")
            known = _remember(self._foreign, pair, _FOREIGN if self._is_foreign(user_agent.encode(), peer_id) else 0)
        return known


def _remember(cache: dict[Any, T], name: object, value: T) -> T:
    if len(cache) >= _MOST_CACHED:
        cache.clear()
    cache[name] = value
    return value


def _hash_key(key: object) -> KeyHash:
    """Hash a key. Some logs have the number of a member instead."""
    if not isinstance(key, (str, int)):
        raise UnreadableLineError("key is neither a string nor a number")
    return hash_announce_key(str(key))


def _parse_event(text: object) -> Event:
    """Accept any case and what isn't an event, as announce does."""
    return _EVENTS.get(text.lower(), Event.REGULAR) if isinstance(text, str) else Event.REGULAR


def _parse_peer_id(text: object) -> bytes:
    if isinstance(text, str):
        try:
            peer_id = bytes.fromhex(text) if len(text) == 2 * _PEER_ID_BYTES else text.encode("latin-1")
        except ValueError:
            peer_id = b""
        if len(peer_id) == _PEER_ID_BYTES:
            return peer_id
    raise UnreadableLineError("peer_id is neither 20 characters nor 40 hex digits")


def _milliseconds(time: object) -> int:
    try:
        seconds = float(time)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        seconds = -1.0
    if 0 <= seconds < _LATEST_TIME:
        return round(seconds * 1000)
    raise UnreadableLineError("time isn't in Unix seconds")


def _counter(value: Any) -> int:
    """Return a counter, or UNKNOWN where it is absent or too large, as announce does."""
    if value is None:
        return UNKNOWN
    if type(value) is not int:
        value = _whole(value)
    return value if 0 <= value <= MAX_COUNTER else UNKNOWN


def _left(value: Any) -> int:
    if type(value) is int and value > MAX_COUNTER:
        return MAX_COUNTER
    return _counter(value)


def _whole(value: Any) -> int:
    """Accept 1.0, "1" and "1e9": some programs write large numbers like that."""
    try:
        return int(value) if not isinstance(value, str) or value.strip().isdecimal() else int(float(value))
    except (ValueError, OverflowError):
        raise UnreadableLineError("a counter isn't a number") from None


def _small(value: Any) -> int:
    return min(max(0, _whole(value)), MAX_SUPPRESSED) if value else 0


def _port(port: Any) -> int:
    if type(port) is not int:
        port = int(port) if isinstance(port, str) and port.isdecimal() else 0 if port is None else -1
    if 0 <= port < 65536:
        return int(port)
    raise UnreadableLineError("port isn't a port")
