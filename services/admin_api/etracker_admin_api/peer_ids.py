"""What a peer_id says about its client, and the starts of peer_ids as operators write them. It can say anything."""

import re
from typing import NamedTuple

from etracker_admin_api.errors import PeerIdError

MIN_PREFIX_BYTES, MAX_PREFIX_BYTES = 2, 20
PEER_ID_PATTERN = "(?:%[0-9A-Fa-f]{2}|[!-$&-~])+"
CLIENT_BYTES = 8
"""In all known styles, the bytes that name the client; random ones follow."""

_PEER_ID = re.compile(PEER_ID_PATTERN)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_AZUREUS = re.compile(rb"-([A-Za-z~][A-Za-z0-9~])([0-9A-Za-z.]{3}[0-9A-Za-z.-])-")
_MAINLINE = re.compile(rb"([MQ])([0-9]{1,2}(?:-[0-9]{1,2}){2,3})-")
_SHADOW = re.compile(rb"([ABOQRSTU])([0-9A-Za-z.]{1,5})-{2,}")

_AZUREUS_NAMES = {
    "7T": "aTorrent",
    "AG": "Ares",
    "AZ": "Vuze",
    "BC": "BitComet",
    "BI": "BiglyBT",
    "BT": "BitTorrent",
    "BW": "BitWombat",
    "CD": "Enhanced CTorrent",
    "DE": "Deluge",
    "DF": "d-fake-seeder",
    "FD": "Free Download Manager",
    "FW": "FrostWire",
    "KT": "KTorrent",
    "LT": "libtorrent",
    "PI": "PicoTorrent",
    "SD": "Thunder",
    "TL": "Tribler",
    "TR": "Transmission",
    "TT": "TuoTu",
    "TX": "Tixati",
    "UE": "uTorrent Embedded",
    "UM": "uTorrent for Mac",
    "UT": "uTorrent",
    "UW": "uTorrent Web",
    "WW": "WebTorrent",
    "WD": "WebTorrent Desktop",
    "XF": "Xfplay",
    "XL": "Xunlei",
    "lt": "rTorrent",
    "qB": "qBittorrent",
    "st": "SharkTorrent",
}
_ONE_LETTER_NAMES = {
    "A": "ABC",
    "B": "BitTorrent",
    "M": "BitTorrent",
    "O": "Osprey Permaseed",
    "Q": "Queen Bee",
    "R": "Tribler",
    "S": "Shadow's client",
    "T": "BitTornado",
    "U": "UPnP NAT Bit Torrent",
}


class ClientName(NamedTuple):
    """What a peer_id says."""

    name: str
    version: str


def read_client(peer_id: bytes) -> ClientName:
    """Read the family and the version of a client from its peer_id.

    Known styles: Azureus' (``-qB5210-``), Mainline's (``M7-4-3--``) and Shadow's (``S58B-----``). For others the name
    is the start of the peer_id and there is no version.
    """
    prefix = peer_id[:CLIENT_BYTES]
    if azureus := _AZUREUS.match(prefix):
        code, digits = azureus[1].decode(), azureus[2].decode()
        return ClientName(_AZUREUS_NAMES.get(code, code), _version(code, digits))
    if mainline := _MAINLINE.match(prefix):
        return ClientName(_ONE_LETTER_NAMES[mainline[1].decode()], mainline[2].decode().replace("-", "."))
    if shadow := _SHADOW.match(prefix):
        return ClientName(_ONE_LETTER_NAMES[shadow[1].decode()], ".".join(map(_digit, shadow[2].decode())))
    return ClientName(show_peer_id(prefix), "")


def parse_peer_id_prefix(text: str) -> bytes:
    """Parse the start of a peer_id: ASCII characters, and %xx for any byte.

    Raises:
        PeerIdError: it isn't the start of a peer_id, or is too short or too long.
    """
    text = text.strip()
    if not _PEER_ID.fullmatch(text):
        raise PeerIdError("The start of a peer_id is written in ASCII without spaces; write other bytes and % as %xx.")
    prefix = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text).encode("latin-1")
    if not MIN_PREFIX_BYTES <= len(prefix) <= MAX_PREFIX_BYTES:
        raise PeerIdError(f"The start of a peer_id has {MIN_PREFIX_BYTES} to {MAX_PREFIX_BYTES} bytes, such as -XY12.")
    return prefix


def show_peer_id(prefix: bytes) -> str:
    """Write bytes of a peer_id as text."""
    return "".join(chr(byte) if 0x21 <= byte <= 0x7E and byte != 0x25 else f"%{byte:02x}" for byte in prefix)


def _version(code: str, digits: str) -> str:
    if code == "TR" and digits[:3].isdigit() and int(digits[0]) < 4 and digits[3] in "0XZ":
        return f"{digits[0]}.{digits[1:3]}"  # until Transmission 3, the version had two decimals
    parts = [_digit(digit) for digit in digits if digit not in ".-"]
    while len(parts) > 3 and not parts[-1].isdigit():
        parts.pop()  # a letter for development or beta versions
    while len(parts) > 3 and parts[-1] == "0":
        parts.pop()
    return ".".join(parts)


def _digit(digit: str) -> str:
    """Read a digit that may be more than 9, as ``A`` for 10."""
    return str(int(digit, 36)) if digit.isdigit() or "A" <= digit <= "F" else digit
