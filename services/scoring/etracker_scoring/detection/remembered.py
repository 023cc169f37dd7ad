"""What is remembered about a key or guest in a torrent, and how it is stored."""

from typing import NamedTuple

MOST_SESSIONS = 8
"""The most sessions remembered; the one that changed longest ago is forgotten."""

_VERSION = 1
_TAG_BYTES = 8


class SessionSignals(NamedTuple):
    """What is remembered about one session. All numbers are non-negative integers, so that packing loses nothing.

    ``tag``: from the peer_id. ``at``: last change, Unix seconds. ``gap``: bytes by which left fell without a download.
    ``gaps``: how often. ``owned``: the most bytes that it is known to have had. ``noted``: bytes downloaded that
    the member's sum contains. ``falls``, ``steps``: falls of the upload counter, and announces since the first.
    ``started``, ``completed``: repeated events, the last one counted at ``event_at`` (Unix seconds) and sent from
    ``event_place``. ``event_gap``: seconds between the last two events that came with the same counters.
    ``empty_uploads``: uploads while owning nothing. ``hour``, ``announces``: start of an hour with many announces, and
    their number. ``rates``, ``rate_sum``, ``rate_squares``: number and sums of successive upload rates.
    """

    tag: int
    at: int = 0
    gap: int = 0
    gaps: int = 0
    owned: int = 0
    noted: int = 0
    falls: int = 0
    steps: int = 0
    started: int = 0
    completed: int = 0
    empty_uploads: int = 0
    hour: int = 0
    announces: int = 0
    rates: int = 0
    rate_sum: int = 0
    rate_squares: int = 0
    agent_seen: int = 0
    port_seen: int = 0
    event_at: int = 0
    event_gap: int = 0
    event_place: int = 0


class Signals(NamedTuple):
    """What is remembered about one key or guest in one torrent, over all its sessions.

    ``excess``: bytes downloaded beyond what left fell by. ``excess_counted``: the excess that evidence has been given
    for. ``excess_since``: Unix seconds. ``downloaded``: by all sessions. ``levels``: of repeated downloads that
    evidence has been given for. ``downloads``: sessions that downloaded. ``checked``: the most bytes that one of them
    had without a download, as after a check. ``fives``: values of the upload counter in succession that were divisible
    by 5. ``sessions``: the last one changed last.
    """

    excess: int = 0
    excess_counted: int = 0
    excess_since: int = 0
    downloaded: int = 0
    levels: int = 0
    downloads: int = 0
    checked: int = 0
    fives: int = 0
    sessions: tuple[SessionSignals, ...] = ()


NOTHING = Signals()
_MEMBER_FIELDS = len(Signals._fields) - 1
_SESSION_FIELDS = len(SessionSignals._fields) - 1


def tag_of(peer_id: bytes) -> int:
    """Return the number by which a session is found again."""
    return int.from_bytes(peer_id[-_TAG_BYTES:], "big")


def pack_signals(signals: Signals) -> bytes:
    """Pack signals: a byte for the version, then for each group of numbers which aren't 0, and these."""
    packed = bytearray((_VERSION,))
    *member, sessions = signals
    _pack_numbers(packed, member)
    for tag, *numbers in sessions:
        packed += tag.to_bytes(_TAG_BYTES, "big")
        _pack_numbers(packed, numbers)
    return bytes(packed)


def unpack_signals(packed: bytes) -> Signals:
    """Unpack signals; the inverse of :func:`pack_signals`.

    Raises:
        ValueError: they are of another version.
    """
    if packed[:1] != bytes((_VERSION,)):
        raise ValueError(f"signals of version {packed[:1].hex()}, but this code reads version {_VERSION}")
    member, position = _unpack_numbers(packed, 1, _MEMBER_FIELDS)
    sessions = []
    while position < len(packed):
        tag = int.from_bytes(packed[position : position + _TAG_BYTES], "big")
        numbers, position = _unpack_numbers(packed, position + _TAG_BYTES, _SESSION_FIELDS)
        sessions.append(SessionSignals(tag, *numbers))
    return Signals._make((*member, tuple(sessions)))


def _pack_numbers(packed: bytearray, numbers: list[int] | tuple[int, ...]) -> None:
    _pack_number(packed, sum(1 << place for place, number in enumerate(numbers) if number))
    for number in numbers:
        if number:
            _pack_number(packed, number)


def _pack_number(packed: bytearray, number: int) -> None:
    while number > 127:
        packed.append(number & 127 | 128)
        number >>= 7
    packed.append(number)


def _unpack_numbers(packed: bytes, position: int, fields: int) -> tuple[list[int], int]:
    present, position = _unpack_number(packed, position)
    numbers = [0] * fields
    for place in range(fields):
        if present >> place & 1:
            numbers[place], position = _unpack_number(packed, position)
    return numbers, position


def _unpack_number(packed: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = packed[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
        shift += 7
