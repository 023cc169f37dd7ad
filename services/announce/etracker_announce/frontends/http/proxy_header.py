"""The PROXY protocol, versions 1 and 2: the header in which a proxy names its client before the first request.

Source: haproxy's doc/proxy-protocol.txt, sections 2.1 and 2.2.
"""

import re
from ipaddress import ip_address
from typing import NamedTuple

MAX_HEADER_BYTES = 4096
"""Room for the fields that a proxy may add in version 2; a header of version 1 has at most 107 bytes."""

_SIGNATURE2 = b"\r\n\r\n\x00\r\nQUIT\n"
_FIXED2 = len(_SIGNATURE2) + 4
_STARTS = (b"PROXY ", _SIGNATURE2)
_MAX_LINE = 107
_LINE = re.compile(rb"PROXY (?:UNKNOWN[ -~]*|TCP[46] ([0-9a-fA-F:.]+) [0-9a-fA-F:.]+ [0-9]{1,5} [0-9]{1,5})\r\n")
_LOCAL, _PROXIED = 0x20, 0x21
_ADDRESS_BYTES = {0x11: 4, 0x21: 16}  # TCP over IPv4 and IPv6
_ENDPOINTS_BYTES = {0x11: 12, 0x21: 36}


class ProxyHeader(NamedTuple):
    """``address``: the client's, or None if the proxy names none. ``length``: in bytes, 0 if there is no header."""

    address: str | None
    length: int


def may_be_proxy_header(data: bytes) -> bool:
    """Return whether the first bytes of a connection are a header or the beginning of one."""
    return any(data.startswith(start) or start.startswith(data) for start in _STARTS)


def read_proxy_header(data: bytes) -> ProxyHeader | None:
    """Read the header at the beginning of a connection; None while it isn't complete.

    Raises:
        ValueError: it is malformed or too long.
    """
    if not may_be_proxy_header(data):
        return ProxyHeader(None, 0)
    return _read_line(data) if data.startswith(b"P") else _read_binary(data)


def _read_line(data: bytes) -> ProxyHeader | None:
    if b"\n" not in data[:_MAX_LINE]:
        if len(data) >= _MAX_LINE:
            raise ValueError("too long for a header of version 1")
        return None
    line = _LINE.match(data)
    if line is None:
        raise ValueError("no header of version 1")
    return ProxyHeader(str(ip_address(line[1].decode())) if line[1] else None, line.end())


def _read_binary(data: bytes) -> ProxyHeader | None:
    if len(data) < _FIXED2:
        return None
    command, transport = data[12], data[13]
    length = _FIXED2 + int.from_bytes(data[14:_FIXED2], "big")
    if command not in {_LOCAL, _PROXIED} or length > MAX_HEADER_BYTES:
        raise ValueError("no header of version 2, or too long")
    if len(data) < length:
        return None
    if command == _LOCAL or transport not in _ADDRESS_BYTES:
        return ProxyHeader(None, length)
    if length < _FIXED2 + _ENDPOINTS_BYTES[transport]:
        raise ValueError("no room for the addresses")
    return ProxyHeader(str(ip_address(data[_FIXED2 : _FIXED2 + _ADDRESS_BYTES[transport]])), length)
