"""The door: who asks once and closes, as most clients do, is answered without a transport.

A transport, a protocol, a parser and their timers cost more than an announce itself. The listening socket wakes us
only once a request is there (``TCP_DEFER_ACCEPT``), so such a connection is four system calls: accept, read, answer,
close. Whoever's first bytes are anything else than one whole request of that kind gets a transport and
:class:`~etracker_announce.routes.protocol.TrackerProtocol`, which knows the rest of HTTP.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, cast

import uvicorn
from structlog import get_logger
from uvicorn.server import ServerState

from etracker_announce.domain.addresses import Client
from etracker_announce.routes.exchange import FRONT, LAST_HEAD, Front
from etracker_announce.routes.protocol import MAX_HEAD_BYTES, TrackerProtocol
from etracker_announce.routes.short_request import ShortRequest, parse_short_request
from etracker_shared.serving import LINGER_SECONDS, SocketServer

WAIT_FOR_REQUEST_SECONDS = 1
"""How long a connection may stay outside without having asked; it then gets a transport, and that one's patience."""
VISITORS_AT_ONCE = 64
"""Connections taken in before those already here get on."""
SEND_SECONDS = 10.0
FULL_HOUSE_SECONDS = 1.0

_TOO_MANY_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

log = get_logger("connection")


class Door:
    """Listening sockets, and what becomes of those who knock. Stands where uvicorn keeps its ``asyncio.Server``.

    ``linger_seconds``: how long the door stays open when the service stops, for those who connected before.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        front: Front,
        state: ServerState,
        make_protocol: Callable[[], TrackerProtocol],
        linger_seconds: float,
    ) -> None:
        self.sockets = tuple(sockets)
        self._front = front
        self._state = state
        self._make_protocol = make_protocol
        self._linger_seconds = linger_seconds
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._closed = asyncio.Event()

    def open(self) -> None:
        """Begin to listen."""
        for listening in self.sockets:
            listening.settimeout(0)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, WAIT_FOR_REQUEST_SECONDS)
            self._loop.add_reader(listening, self._accept, listening)

    def close(self) -> None:
        """Take in nobody new but those who are outside already."""
        if self._closing:
            return
        self._closing = True
        for listening in self.sockets:
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 0)
        if self._linger_seconds:
            self._loop.call_later(self._linger_seconds, self._shut)
        else:
            self._shut()

    async def wait_closed(self) -> None:
        """Return once the door is shut."""
        await self._closed.wait()

    def _shut(self) -> None:
        for listening in self.sockets:
            self._accept(listening)
            self._loop.remove_reader(listening)
            listening.close()
        self._closed.set()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(VISITORS_AT_ONCE):
            try:
                connection, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _TOO_MANY_FILES:
                    raise
                self._rest(listening, error)
                return
            self._welcome(connection, address[0])

    def _rest(self, listening: socket.socket, error: OSError) -> None:
        """Wait a moment for others to leave; the socket would be readable again and again."""
        log.error("too_many_connections", reason=error.strerror)
        self._loop.remove_reader(listening)
        self._loop.call_later(FULL_HOUSE_SECONDS, self._open_again, listening)

    def _open_again(self, listening: socket.socket) -> None:
        if not self._closed.is_set():
            self._loop.add_reader(listening, self._accept, listening)

    def _welcome(self, connection: socket.socket, address: str) -> None:
        try:
            asked = connection.recv(MAX_HEAD_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._spawn(self._keep(connection, b""))
            return
        except OSError:
            connection.close()
            return
        if not asked:
            connection.close()
            return
        request = parse_short_request(asked)
        if request is None or not request.closes:
            self._spawn(self._keep(connection, asked))
        else:
            self._spawn(self._answer(connection, request, self._front.find_client(address, request.forwarded_for)))

    def _spawn(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    async def _answer(self, connection: socket.socket, request: ShortRequest, client: Client) -> None:
        started = perf_counter()
        try:
            answer = await self._front.tracker.answer(request.target, request.query, client)
            await self._send(connection, LAST_HEAD % (len(answer.body), answer.body))
        finally:
            connection.close()
        self._front.count(request.target.kind, answer.outcome, started)

    async def _send(self, connection: socket.socket, answer: bytes) -> None:
        try:
            sent = connection.send(answer, socket.MSG_DONTWAIT)
            if sent < len(answer):
                connection.settimeout(0)
                async with asyncio.timeout(SEND_SECONDS):
                    await self._loop.sock_sendall(connection, answer[sent:])
        except OSError:  # whoever went away meanwhile, or doesn't read
            return

    async def _keep(self, connection: socket.socket, asked: bytes) -> None:
        """Give a connection a transport; its protocol begins with what was read already."""

        def make() -> TrackerProtocol:
            protocol = self._make_protocol()
            protocol.first_bytes = asked
            return protocol

        try:
            _, protocol = await self._loop.connect_accepted_socket(make, connection)
        except OSError:
            connection.close()
            return
        if self._closing:
            protocol.shutdown()


class TrackerServer(SocketServer):
    """A server with a :class:`Door` instead of the event loop's own listeners."""

    def __init__(self, config: uvicorn.Config, linger_seconds: float = LINGER_SECONDS) -> None:
        super().__init__(config)
        self._linger_seconds = linger_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Let uvicorn resolve and bind its addresses, then take the sockets over."""
        await super().startup(sockets)
        if not self.started:
            return
        front = self.lifespan.state[FRONT]
        door = Door(self.take_listeners(), front, self.server_state, self.make_protocol, self._linger_seconds)
        door.open()
        self.servers = [door]  # type: ignore[list-item]  # what uvicorn asks of a server, a door has

    def make_protocol(self) -> TrackerProtocol:
        """Make what speaks HTTP on one connection."""
        return cast("TrackerProtocol", super().make_protocol())
