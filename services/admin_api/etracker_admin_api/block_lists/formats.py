"""Block lists as programs read them.

No line ever is a network in CIDR notation: Transmission 4.1 reads one with /32 as all of IPv4. A list is never empty:
most programs keep an old list when the new one has no entries, so the last peer on it would stay blocked. A range of
addresses that nobody has (RFC 5737) stands in an empty one.

``txt``: for PeerBanHelper, one address per line, in the line before it the reason. That program takes every line that
isn't a comment (``#`` at its very beginning), isn't blank and has no comma for an address, and bans 127.123.123.123 if
it can't read it; it ends lines at a line feed, and reads any answer, whatever its status, as a list.
``p2p``: for Transmission, Deluge, BiglyBT and rtorrent: IPv4 only, since a line with IPv6 fails the whole list in
Deluge. ``dat``: eMule's, for qBittorrent, IPv6 included.
"""

import enum
from collections.abc import Callable, Iterable, Mapping

from etracker_shared.language.addresses import Address

NOBODY = "192.0.2.0"
WHY = "downloads the same data again and again"
"""Fixed: nothing that a client sent may appear in a list."""


class Form(enum.StrEnum):
    """The forms of a list."""

    TXT = "txt"
    P2P = "p2p"
    DAT = "dat"


def format_list(form: Form, addresses: Iterable[Address]) -> str:
    """Write a list of addresses to block. Ends with a line feed and is ASCII."""
    return _FORMATS[form](sorted(set(addresses), key=lambda address: (address.version, int(address))))


def _format_txt(addresses: Iterable[Address]) -> str:
    lines = "".join(f"# etracker: {WHY}\n{address}\n" for address in addresses)
    return lines or f"# etracker: nobody at the moment\n{NOBODY}\n"


def _format_p2p(addresses: Iterable[Address]) -> str:
    lines = "".join(f"etracker {WHY}:{address}-{address}\n" for address in addresses if address.version == 4)
    return lines or f"etracker nobody at the moment:{NOBODY}-{NOBODY}\n"


def _format_dat(addresses: Iterable[Address]) -> str:
    lines = "".join(f"{address} - {address} , 000 , etracker {WHY}\n" for address in addresses)
    return lines or f"{NOBODY} - {NOBODY} , 000 , etracker nobody at the moment\n"


_FORMATS: Mapping[Form, Callable[[Iterable[Address]], str]] = {
    Form.TXT: _format_txt,
    Form.P2P: _format_p2p,
    Form.DAT: _format_dat,
}
