"""Sockets to listen on: bound by the process that accepts, or inherited from the process that started it.

Several processes can accept from one inherited socket. It stays open in the process that opened it, so connections that
wait in its backlog survive the end of any other.
"""

import asyncio
import errno
import socket
from collections.abc import Sequence

BACKLOG = 4096
"""Connections that wait to be accepted; the kernel may allow fewer (``net.core.somaxconn``)."""

NOT_STARTED = 3
"""uvicorn's own exit status for a server that can't start, for example because its port is taken."""

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


async def open_listening(host: str, port: int) -> list[socket.socket]:
    """Open listening sockets for other processes to inherit; connections may wait in them at once.

    Raises:
        OSError: an address is taken, or ``host`` has none.
    """
    sockets = await bind(host, port)
    try:
        for bound in sockets:
            bound.listen(BACKLOG)
    except OSError:
        _close(sockets)
        raise
    return sockets


def inherit(descriptors: Sequence[int]) -> list[socket.socket]:
    """Use listening sockets that the parent process opened.

    Raises:
        OSError: a descriptor isn't an open socket.
    """
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]


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
