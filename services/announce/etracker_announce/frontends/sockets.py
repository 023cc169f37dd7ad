"""Sockets for front ends to listen on."""

import asyncio
import errno
import socket

_NO_SUCH_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}


async def bind(host: str, port: int) -> list[socket.socket]:
    """Bind TCP sockets to every address of ``host``, or to every interface if it is empty. They don't listen yet.

    Raises:
        OSError: an address is taken, or ``host`` has none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    missing = OSError(errno.EADDRNOTAVAIL, f"{host} has no address")
    for family, kind, protocol, _, address in dict.fromkeys(found):
        try:
            sockets.append(_bind(socket.socket(family, kind, protocol), address))
        except OSError as error:
            if error.errno not in _NO_SUCH_FAMILY:
                _close(sockets)
                raise
            missing = error  # IPv6 is often turned off
    if not sockets:
        raise missing
    return sockets


def _bind(bound: socket.socket, address: tuple[object, ...]) -> socket.socket:
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if bound.family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def _close(sockets: list[socket.socket]) -> None:
    for bound in sockets:
        bound.close()
