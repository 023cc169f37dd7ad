"""The HTTP front end as a whole: it listens, and answers all earlier requests when it stops."""

import asyncio
from typing import Self

from etracker_announce.frontends.http.connection import DEFAULT_TIMEOUTS, Accepted, HttpConnection, Timeouts
from etracker_announce.frontends.http.connections import OpenConnections
from etracker_announce.frontends.http.handler import Handler
from etracker_announce.frontends.http.listener import Listener
from etracker_announce.frontends.http.sources import ProxyRecognizer
from etracker_announce.frontends.sockets import bind
from etracker_shared.plumbing.serving import GRACEFUL_SHUTDOWN_SECONDS, LINGER_SECONDS


class HttpServer:
    """Serves announces and scrapes as an asynchronous context. ``port`` may be 0 for a free one."""

    def __init__(
        self,
        handler: Handler,
        host: str,
        port: int,
        *,
        is_proxy: ProxyRecognizer,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self._handler = handler
        self._host = host
        self._port = port
        self._is_proxy = is_proxy
        self._timeouts = timeouts
        self._linger_seconds = linger_seconds
        self._listener: Listener
        self.open: OpenConnections

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._listener.port

    async def __aenter__(self) -> Self:
        sockets = await bind(self._host, self._port)
        self.open = OpenConnections()
        self._listener = Listener(
            sockets,
            self._handler,
            self.open,
            self._make_connection,
            is_proxy=self._is_proxy,
            linger_seconds=self._linger_seconds,
        )
        self._listener.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        closing = asyncio.ensure_future(self._listener.close())
        for connection in list(self.open.connections):
            connection.shutdown()
        await closing
        await self.open.drain(GRACEFUL_SHUTDOWN_SECONDS)

    def _make_connection(self, accepted: Accepted) -> HttpConnection:
        return HttpConnection(self._handler, self.open, self._timeouts, accepted)
