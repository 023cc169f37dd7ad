"""Announce's own public port. We open it and accept nothing: the replicas inherit its sockets.

The sockets outlive every replica, so while one restarts the others accept, and if there is no other, clients wait.
"""

import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from etracker_shared.plumbing.sockets import open_listening
from etracker_stack.errors import StackError
from etracker_stack.settings import StackSettings


@asynccontextmanager
async def public_port(settings: StackSettings) -> AsyncIterator[tuple[int, ...]]:
    """Open the port and return the descriptors of its sockets, none if it is turned off.

    Raises:
        StackError: it is taken, or its address isn't this machine's.
    """
    sockets = await _open(settings) if settings.announce_port else []
    try:
        yield tuple(one.fileno() for one in sockets)
    finally:
        for one in sockets:
            one.close()


async def _open(settings: StackSettings) -> list[socket.socket]:
    try:
        return await open_listening(settings.announce_host, settings.announce_port)
    except OSError as error:
        raise StackError(_complaint(settings, error)) from None


def _complaint(settings: StackSettings, error: OSError) -> str:
    port = settings.announce_port
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is taken by another program: stop it, or set ETRACKER_ANNOUNCE_PORT to a free port, which "
            "announce URLs will name."
        )
    return f"Announce can't listen on {settings.announce_host or 'every interface'}, port {port}: {error.strerror}."
