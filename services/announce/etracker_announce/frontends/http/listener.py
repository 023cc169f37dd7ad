"""Accept connections. A client that sends one request and closes, as most do, is answered without a transport.

A transport, a protocol and its timer add a quarter to the cost of an announce. The kernel wakes the listener
only once a request has arrived (``TCP_DEFER_ACCEPT``), so such a connection takes four system calls: accept, read,
answer, close. If the first bytes are anything other than one whole request that closes its connection, the connection
gets a transport and an :class:`~etracker_announce.frontends.http.connection.HttpConnection`.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence

from etracker_announce.frontends.gatherer import Gatherer
from etracker_announce.frontends.http.acceptor import SocketAcceptor
from etracker_announce.frontends.http.connection import Accepted, HttpConnection
from etracker_announce.frontends.http.connections import OpenConnections
from etracker_announce.frontends.http.handler import Handler
from etracker_announce.frontends.http.parser import MAX_HEAD_BYTES, HttpRequest
from etracker_announce.frontends.http.proxy_header import may_be_proxy_header
from etracker_announce.frontends.http.responses import write_response
from etracker_announce.frontends.http.sources import ProxyRecognizer
from etracker_announce.frontends.http.whole_requests import parse_whole_request
from etracker_shared.plumbing.sockets import BACKLOG

DEFER_SECONDS = 1
"""How long the kernel holds back a connection without a request, which then gets a transport and its timeouts."""
SEND_SECONDS = 10.0


class Listener:
    """Accepts connections on sockets and answers or hands them over.

    ``linger_seconds``: how long it keeps accepting when the service stops, for clients that connected before that.
    ``inherited``: other processes accept from the same sockets, also after this one has stopped.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        handler: Handler,
        open_connections: OpenConnections,
        make_connection: Callable[[Accepted], HttpConnection],
        gatherer: Gatherer,
        *,
        is_proxy: ProxyRecognizer,
        linger_seconds: float,
        inherited: bool = False,
    ) -> None:
        self._sockets = tuple(sockets)
        self._inherited = inherited
        self._handler = handler
        self._open = open_connections
        self._make_connection = make_connection
        self._gatherer = gatherer
        self._is_proxy = is_proxy
        self._linger_seconds = linger_seconds
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._acceptors: list[SocketAcceptor] = []

    @property
    def port(self) -> int:
        """The port of the first socket."""
        return int(self._sockets[0].getsockname()[1])

    def start(self) -> None:
        """Begin to listen."""
        for listening in self._sockets:
            listening.settimeout(0)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, DEFER_SECONDS)
            listening.listen(BACKLOG)
            acceptor = SocketAcceptor(listening, self._gatherer, self._handle)
            self._acceptors.append(acceptor)
            acceptor.resume()

    async def close(self) -> None:
        """Accept the connections that are already waiting and those of the next ``linger_seconds``, then stop."""
        self._closing = True
        if not self._inherited:  # options belong to the socket, not to the process
            for listening in self._sockets:
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 0)
        if self._linger_seconds:
            await asyncio.sleep(self._linger_seconds)
        for acceptor in self._acceptors:
            acceptor.close()

    def _handle(self, connection: socket.socket, address: str) -> None:
        try:
            received = connection.recv(MAX_HEAD_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._converse(connection, address, b"")
            return
        except OSError:
            connection.close()
            return
        if not received:
            connection.close()
            return
        if request := parse_whole_request(received):
            self._gatherer.begin(lambda: self._open.run(self._answer(connection, request, address)))
        else:
            self._converse(connection, address, received)

    def _converse(self, connection: socket.socket, address: str, received: bytes) -> None:
        proxied = may_be_proxy_header(received) and self._is_proxy(address)
        self._open.run(self._give_transport(connection, Accepted(address, received, proxied)))

    async def _answer(self, connection: socket.socket, request: HttpRequest, address: str) -> None:
        try:
            answer = await self._handler.answer(request, address)
            await self._send(connection, write_response(answer, closes=True))
        finally:
            connection.close()

    async def _send(self, connection: socket.socket, answer: bytes) -> None:
        try:
            sent = connection.send(answer, socket.MSG_DONTWAIT)
            if sent < len(answer):
                connection.settimeout(0)
                async with asyncio.timeout(SEND_SECONDS):
                    await self._loop.sock_sendall(connection, answer[sent:])
        except OSError:  # the client is gone, or doesn't read
            return

    async def _give_transport(self, connection: socket.socket, accepted: Accepted) -> None:
        try:
            _, protocol = await self._loop.connect_accepted_socket(lambda: self._make_connection(accepted), connection)
        except OSError:
            connection.close()
            return
        if self._closing:
            protocol.shutdown()
