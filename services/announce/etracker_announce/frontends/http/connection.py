"""One HTTP connection: requests in, answers out, in order.

Everything is bounded: a request's head in size and time, an idle connection in time, an unread answer by flow control
and in time. While requests of a pipeline wait, nothing more is read.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from etracker_announce.frontends.gatherer import Gatherer
from etracker_announce.frontends.http.connections import OpenConnections
from etracker_announce.frontends.http.handler import Handler
from etracker_announce.frontends.http.parser import Parsed, RequestParser
from etracker_announce.frontends.http.proxy_header import read_proxy_header
from etracker_announce.frontends.http.responses import BAD_REQUEST, Page, write_response

LAST_CHANCE_SECONDS = 1.0
"""When the service stops: how long a connection that hasn't sent a request yet may still send one."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a client may take to send the head of a request, to send another one, and to read its answers."""

    head_seconds: float = 10.0
    idle_seconds: float = 5.0
    unread_seconds: float = 20.0


DEFAULT_TIMEOUTS = Timeouts()


class Accepted(NamedTuple):
    """What is known about a connection before it gets a transport: the client's address, and the bytes already read.

    ``proxied``: it may begin with a header in which a trusted proxy names its client.
    """

    address: str
    received: bytes
    proxied: bool


class HttpConnection(asyncio.Protocol):
    """Speaks HTTP/1.1 with one client."""

    def __init__(
        self,
        handler: Handler,
        open_connections: OpenConnections,
        timeouts: Timeouts,
        accepted: Accepted,
        gatherer: Gatherer,
        *,
        public: bool = False,
    ) -> None:
        self._handler = handler
        self._open = open_connections
        self._timeouts = timeouts
        self._gatherer = gatherer
        self._address, self._received, proxied = accepted
        self._proxy_header = b"" if proxied else None  # the part received so far, until it is complete
        self._parser = RequestParser(public=public)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._waiting: deque[Parsed] = deque()
        self._busy = False
        self._closing = False  # whether to close as soon as all waiting requests are answered
        self._draining = False
        self._has_asked = False
        self._idle_since = 0.0
        self._paused = False
        self._unread: asyncio.Future[None] | None = None  # pending while the client doesn't read its answers
        self._clock: asyncio.TimerHandle

    # asyncio's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock at once: a client may never send anything."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class doesn't inherit from it
        self._open.connections.add(self)
        self._idle_since = self._loop.time()
        self._clock = self._loop.call_later(
            min(self._timeouts.head_seconds, self._timeouts.idle_seconds), self._look_at_clock
        )
        if self._received:
            self.data_received(self._received)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Drop the requests whose answers nobody will read."""
        self._clock.cancel()
        self._waiting.clear()
        self.resume_writing()
        self._parser.close()
        self._open.connections.discard(self)

    def pause_writing(self) -> None:
        """Start the clock of a client that doesn't read."""
        self._unread = self._loop.create_future()
        self._idle_since = self._loop.time()

    def resume_writing(self) -> None:
        """Continue: the client has read its answers, or is gone."""
        if self._unread and not self._unread.done():  # cancelled if the drain took too long
            self._unread.set_result(None)
        self._unread = None

    def data_received(self, data: bytes) -> None:
        """Parse the received bytes."""
        if self._closing:
            return
        if self._proxy_header is not None:
            data = self._take_proxy_header(self._proxy_header + data)
        was_in_head = self._parser.in_head
        self._take(self._parser.feed(data))
        if self._parser.in_head and not was_in_head:
            self._idle_since = self._loop.time()

    def eof_received(self) -> bool:
        """Answer a client that has only closed its sending half."""
        if self._busy:
            self._finish()
        return self._busy

    # what the server calls when it stops

    def shutdown(self) -> None:
        """Answer the requests that are running or still arriving, then close."""
        self._draining = True
        if self._busy:
            return
        if self._parser.in_head or not self._has_asked:
            self._loop.call_later(LAST_CHANCE_SECONDS, self._close_if_idle)
        else:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _take(self, requests: Sequence[Parsed]) -> None:
        if requests:
            waited, self._has_asked = not self._has_asked, True
            self._waiting.extend(requests)
            if self._busy or len(requests) > 1:
                self._pause_reading()
            if not self._busy:
                self._busy = True
                (self._gatherer.begin if waited else self._gatherer.arrive)(self._begin)
        if self._parser.error:
            self._reject(self._parser.error)
        elif self._parser.ended:
            self._finish()

    def _take_proxy_header(self, received: bytes) -> bytes:
        """Return what follows the header in which a proxy names its client."""
        try:
            header = read_proxy_header(received)
        except ValueError:
            self._reject(BAD_REQUEST)
            return b""
        if header is None:
            self._proxy_header = received
            return b""
        self._proxy_header = None
        self._address = header.address or self._address
        return received[header.length :]

    def _begin(self) -> None:
        self._open.run(self._answer_waiting())

    async def _answer_waiting(self) -> None:
        while self._waiting:
            request, closes, for_head = self._waiting.popleft()
            answer = request if isinstance(request, Page) else await self._handler.answer(request, self._address)
            if self._unread:
                await self._unread
            if self._transport.is_closing():
                return
            closes = closes or ((self._closing or self._draining) and not self._waiting)
            self._write(write_response(answer, closes=closes, for_head=for_head), closes=closes)
        self._busy = False
        self._idle_since = self._loop.time()
        self._resume_reading()

    def _write(self, response: bytes, *, closes: bool) -> None:
        self._transport.write(response)
        if closes:
            self._waiting.clear()
            self._transport.close()

    def _pause_reading(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def _reject(self, page: Page) -> None:
        """Answer bytes that aren't HTTP with an error page, unless earlier requests still wait for their answers."""
        if not self._busy and not self._transport.is_closing():
            self._transport.write(page.to_bytes(closes=True))
        self._finish()

    def _finish(self) -> None:
        """Close once everything is answered; ignore what is still received."""
        self._closing = True
        if not self._busy:
            self._transport.close()

    def _close_if_idle(self) -> None:
        if not self._busy:
            self._transport.close()

    def _look_at_clock(self) -> None:
        """Close the connection if it has waited too long for its client, and schedule the next check."""
        if self._transport.is_closing():
            self._transport.abort()  # the client had long enough to read its answer
            return
        unread = self._unread is not None
        patience = self._timeouts.unread_seconds if unread else self._patience_seconds()
        waited = 0.0 if self._busy and not unread else self._loop.time() - self._idle_since
        if waited >= patience:
            (self._transport.abort if unread else self._transport.close)()
            waited = 0.0
        pause = min(patience - waited, self._timeouts.head_seconds, self._timeouts.idle_seconds)
        self._clock = self._loop.call_later(pause, self._look_at_clock)

    def _patience_seconds(self) -> float:
        waits_for_head = self._parser.in_head or not self._has_asked
        return self._timeouts.head_seconds if waits_for_head else self._timeouts.idle_seconds
