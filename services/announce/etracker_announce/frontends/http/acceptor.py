"""Accept connections on one listening socket, as they come or, while announces gather, several at a time."""

import asyncio
import errno
import socket
from collections.abc import Callable

from structlog import get_logger

from etracker_announce.frontends.gatherer import Gatherer

MAX_ACCEPTS = 64
"""The most connections accepted in a row before the open ones get their turn."""
PAUSE_SECONDS = 1.0
"""How long to stop accepting when no file descriptor is left."""

_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

log = get_logger("connection")


class SocketAcceptor:
    """Gives each connection and its client's address to ``handle``."""

    def __init__(
        self, listening: socket.socket, gatherer: Gatherer, handle: Callable[[socket.socket, str], None]
    ) -> None:
        self._listening = listening
        self._gatherer = gatherer
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._exhausted = False
        self._closed = False

    def resume(self) -> None:
        """Accept connections as they come."""
        if not self._closed and not self._exhausted:
            self._loop.add_reader(self._listening, self._accept_now_or_later)

    def accept_waiting(self) -> None:
        """Accept the connections that are waiting."""
        accepted = 0
        while accepted < MAX_ACCEPTS and not self._exhausted:
            try:
                connection, address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                break
            except OSError as error:
                if error.errno not in _OUT_OF_RESOURCES:
                    raise
                self._rest(error)
                break
            accepted += 1
            self._handle(connection, address[0])
        if accepted:
            self._gatherer.count(accepted)

    def close(self) -> None:
        """Accept the connections that are waiting, and stop."""
        self._closed, self._exhausted = True, False
        self.accept_waiting()
        self._loop.remove_reader(self._listening)
        self._listening.close()

    def _accept_now_or_later(self) -> None:
        if self._gatherer.holds(self):
            self._loop.remove_reader(self._listening)
        else:
            self.accept_waiting()

    def _rest(self, error: OSError) -> None:
        """Stop accepting for a moment, so that connections can end. Waiting ones would wake the loop all the time."""
        log.error("too_many_connections", reason=error.strerror)
        self._exhausted = True
        self._loop.remove_reader(self._listening)
        self._loop.call_later(PAUSE_SECONDS, self._end_rest)

    def _end_rest(self) -> None:
        self._exhausted = False
        self.resume()
