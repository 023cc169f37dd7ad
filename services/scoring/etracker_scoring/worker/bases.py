"""What the counters of a session are compared with, when one peer_id announces from several places.

A place is an address, a port and an infohash. One client announces from several of them (over both address families,
in both swarms of a hybrid torrent), and two machines may run with one peer_id. It isn't known whose counter a report
continues. So each counter is credited with its difference from the nearest lower value reported from any place, and
with nothing if there is no lower value. Places that reported the same value advance together. A counter that falls at
its own place belongs to a client that started again from zero: its old value is forgotten.

However the reports of honest clients interleave, they are never credited with more than they transferred. A client that
shares its places with no other client is credited with all that it transferred since its first report, across restarts
(tests/unit/scoring/test_bases.py).
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from etracker_shared.agreements.facts import UNKNOWN, Fact

MOST_PLACES = 8
"""The most places remembered per session. If there are more, the one that has been silent longest is forgotten.

A dual-stack client in a hybrid torrent has four.
"""

LATE_SECONDS = 600
"""How long a ``stopped`` may arrive after the next ``started``."""

_LAYOUT = struct.Struct("<qqqIB")
_SPREAD = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1
_GATHER = pow(_SPREAD, -1, 2**64)
_PORTS = 2**16


class Base(NamedTuple):
    """The counters last reported from a place, in bytes, and when (Unix seconds).

    ``former``: it is from before a counter fell at that place. Only a late ``stopped`` continues it.
    """

    place: int
    uploaded: int
    downloaded: int
    at: int
    former: bool = False


class Comparison(NamedTuple):
    """The bases after a report, the reporter's last, and the bytes that the report adds."""

    bases: list[Base]
    uploaded: int
    downloaded: int


def place_of(fact: Fact) -> int:
    """Return a signed 64-bit number for the place a fact comes from; 0 if the fact doesn't say."""
    address = int.from_bytes(fact.address_hash, "little")
    if not address:
        return 0
    mixed = (address ^ int.from_bytes(fact.info_hash[:8], "little")) + (fact.port + 1) * _SPREAD & _MASK
    return mixed - (mixed >> 63 << 64)


def is_at_address(place: int, fact: Fact) -> bool:
    """Return whether a place is at the address a fact comes from, for the fact's infohash, with any port."""
    address = int.from_bytes(fact.address_hash, "little")
    if not (address and place):
        return False
    spread = place - (address ^ int.from_bytes(fact.info_hash[:8], "little"))
    return 0 < spread * _GATHER & _MASK <= _PORTS


def pack_bases(bases: Sequence[Base]) -> bytes | None:
    """Pack the bases of a session's places except the latest one."""
    return b"".join(_LAYOUT.pack(*base) for base in bases) or None


def unpack_bases(packed: bytes | None) -> list[Base]:
    """Unpack bases; the inverse of :func:`pack_bases`."""
    return [Base._make((*fields[:4], bool(fields[4]))) for fields in _LAYOUT.iter_unpack(packed or b"")]


def find_former(bases: Sequence[Base], stopped: Base) -> Base | None:
    """Return the base that a ``stopped`` continues, if it comes from the client that ran at the same place before."""
    own = next((base for base in bases if base.place == stopped.place and not base.former), None)
    for base in bases:
        if base.former and base.place == stopped.place and own and _is_late(base, own, stopped):
            return base
    return None


def _is_late(former: Base, own: Base, stopped: Base) -> bool:
    continues = stopped.uploaded >= former.uploaded and stopped.downloaded >= former.downloaded
    is_own = stopped.uploaded == own.uploaded and stopped.downloaded == own.downloaded
    return continues and not is_own and stopped.at - former.at <= LATE_SECONDS


def compare(bases: Sequence[Base], report: Base) -> Comparison:
    """Compare a report with the bases of all places."""
    own = next((base for base in bases if base.place == report.place and not base.former), None)
    others = [base for base in bases if base.place != report.place and not base.former]
    formers = [base for base in bases if base.former and base.place != report.place]
    if own and (UNKNOWN < report.uploaded < own.uploaded or UNKNOWN < report.downloaded < own.downloaded):
        formers.append(own._replace(at=report.at, former=True))
    else:
        formers += [base for base in bases if base.former and base.place == report.place]
    before = own or report._replace(uploaded=UNKNOWN, downloaded=UNKNOWN)
    lower_up = _nearest([before.uploaded, *(base.uploaded for base in others)], report.uploaded)
    lower_down = _nearest([before.downloaded, *(base.downloaded for base in others)], report.downloaded)
    moved = [
        base._replace(
            uploaded=_follow(base.uploaded, lower_up, report.uploaded),
            downloaded=_follow(base.downloaded, lower_down, report.downloaded),
        )
        for base in others
    ]
    reporter = report._replace(
        uploaded=before.uploaded if report.uploaded == UNKNOWN else report.uploaded,
        downloaded=before.downloaded if report.downloaded == UNKNOWN else report.downloaded,
    )
    return Comparison(
        [*(former for former in formers if report.at - former.at <= LATE_SECONDS), *moved[1 - MOST_PLACES :], reporter],
        report.uploaded - lower_up if lower_up != UNKNOWN else 0,
        report.downloaded - lower_down if lower_down != UNKNOWN else 0,
    )


def _nearest(known: Sequence[int], reported: int) -> int:
    """Return the greatest known number that isn't above the reported one, or UNKNOWN."""
    return max((number for number in known if number <= reported), default=UNKNOWN)


def _follow(number: int, lower: int, reported: int) -> int:
    return reported if number == lower != UNKNOWN else number
