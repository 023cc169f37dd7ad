"""The HTTP front end as a whole: it listens, and answers all earlier requests when it stops."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

from etracker_announce.frontends.gatherer import Gatherer
from etracker_announce.frontends.http.connection import DEFAULT_TIMEOUTS, Accepted, HttpConnection, Timeouts
from etracker_announce.frontends.http.connections import OpenConnections
from etracker_announce.frontends.http.handler import Handler
from etracker_announce.frontends.http.listener import Listener
from etracker_announce.frontends.http.sources import ProxyRecognizer
from etracker_shared.plumbing.serving import GRACEFUL_SHUTDOWN_SECONDS, LINGER_SECONDS
from etracker_shared.plumbing.sockets import bind


class HttpServer:
    """Serves announces and scrapes as an asynchronous context. ``port`` may be 0 for a free one.

    ``inherited``: listening sockets to use instead. ``public``: ``/healthz`` doesn't exist.
    """

    def __init__(
        self,
        handler: Handler,
        host: str,
        port: int,
        gatherer: Gatherer,
        *,
        is_proxy: ProxyRecognizer,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        linger_seconds: float = LINGER_SECONDS,
        inherited: Sequence[socket.socket] = (),
        public: bool = False,
    ) -> None:
        self._handler = handler
        self._host = host
        self._port = port
        self._gatherer = gatherer
        self._is_proxy = is_proxy
        self._timeouts = timeouts
        self._linger_seconds = linger_seconds
        self._inherited = inherited
        self._public = public
        self._listener: Listener
        self.open: OpenConnections

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._listener.port

    async def start(self) -> None:
        """Begin to serve.

        Raises:
            OSError: the port is taken.
        """
        sockets = self._inherited or await bind(self._host, self._port)
        self.open = OpenConnections()
        self._gatherer.watch(self.open.tasks)
        self._listener = Listener(
            sockets,
            self._handler,
            self.open,
            self._make_connection,
            self._gatherer,
            is_proxy=self._is_proxy,
            linger_seconds=self._linger_seconds,
            inherited=bool(self._inherited),
        )
        self._listener.start()

    async def stop(self) -> None:
        """Stop once every earlier request is answered."""
        self._gatherer.stop()
        closing = asyncio.ensure_future(self._listener.close())
        for connection in list(self.open.connections):
            connection.shutdown()
        await closing
        await self.open.drain(GRACEFUL_SHUTDOWN_SECONDS)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _make_connection(self, accepted: Accepted) -> HttpConnection:
        return HttpConnection(self._handler, self.open, self._timeouts, accepted, self._gatherer, public=self._public)


@asynccontextmanager
async def all_serving(*servers: HttpServer) -> AsyncIterator[None]:
    """Serve on several ports; stopping takes no longer than with one.

    Raises:
        OSError: a port is taken.
    """
    async with AsyncExitStack() as started:
        for server in servers:
            await server.start()
            started.push_async_callback(server.stop)
        yield
        started.pop_all()
        await asyncio.gather(*(server.stop() for server in servers))
