"""One HTTP connection: requests in, answers out, in order.

Everything is bounded: the head of a request in size and time, an idle connection in time, an unread answer by flow
control and in time, a pipeline by not reading on.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import cast

import httptools
from structlog import get_logger

from etracker_announce.frontends.http.connections import OpenConnections
from etracker_announce.frontends.http.handler import Handler
from etracker_announce.frontends.http.requests import Target, parse_path
from etracker_announce.frontends.http.responses import (
    BAD_REQUEST,
    HEAD_TOO_LARGE,
    MAX_HEAD_BYTES,
    Page,
    answer_to_bytes,
    page_for,
)
from etracker_announce.frontends.http.whole_requests import HttpRequest, parse_whole_request

LAST_CHANCE_SECONDS = 1.0
"""How long a connection without a request so far may still send one once the service stops."""

log = get_logger("connection")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a client may take to send the head of a request, to send another one, and to read its answers."""

    head_seconds: float = 10.0
    idle_seconds: float = 5.0
    unread_seconds: float = 20.0


DEFAULT_TIMEOUTS = Timeouts()


class HttpConnection(asyncio.Protocol):
    """Speaks HTTP/1.1 with one client. ``received``: what was read before the connection got its transport."""

    def __init__(
        self, handler: Handler, open_connections: OpenConnections, timeouts: Timeouts, address: str, received: bytes
    ) -> None:
        self._handler = handler
        self._open = open_connections
        self._timeouts = timeouts
        self._address = address
        self._received = received
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[HttpRequest | Page, bool]] = deque()  # and whether the connection ends with it
        self._busy = False
        self._closing = False  # once what waits is answered
        self._draining = False
        self._in_head = False
        self._in_message = False
        self._has_asked = False
        self._head_bytes = 0
        self._idle_since = 0.0
        self._paused = False
        self._unread: asyncio.Future[None] | None = None  # pending while the client doesn't read its answers
        self._clock: asyncio.TimerHandle

    # asyncio's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock at once: a client may never send anything."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._open.connections.add(self)
        self._idle_since = self._loop.time()
        self._clock = self._loop.call_later(
            min(self._timeouts.head_seconds, self._timeouts.idle_seconds), self._look_at_clock
        )
        if self._received:
            self.data_received(self._received)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Drop the requests that nobody will read the answers of."""
        self._clock.cancel()
        self._waiting.clear()
        self.resume_writing()
        self._open.connections.discard(self)

    def pause_writing(self) -> None:
        """Start the clock of a client that doesn't read."""
        self._unread = self._loop.create_future()
        self._idle_since = self._loop.time()

    def resume_writing(self) -> None:
        """Go on: the client has read its answers, or is gone."""
        if self._unread:
            self._unread.set_result(None)
            self._unread = None

    def data_received(self, data: bytes) -> None:
        """Take what came; a request that isn't whole goes through the parser, which calls back."""
        if self._closing:
            return
        if not (self._in_message or self._busy) and (request := parse_whole_request(data)):
            self._has_asked = True
            self._enqueue(request, closes=request.closes)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._finish()
        except httptools.HttpParserError as error:
            if isinstance(error, httptools.HttpParserCallbackError):
                log.exception("request_not_taken")
            self._reject(BAD_REQUEST)
        if self._in_head:
            self._limit_head(len(data))

    def eof_received(self) -> bool:
        """Answer a client that has only closed its sending half."""
        if self._busy:
            self._finish()
        return self._busy

    # what the server calls when it stops

    def shutdown(self) -> None:
        """Answer the requests under way or on their way, then close."""
        self._draining = True
        if self._busy:
            return
        if self._in_head or not self._has_asked:
            self._loop.call_later(LAST_CHANCE_SECONDS, self._close_if_idle)
        else:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    # httptools' calls

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._url = b""
        self._forwarded: list[bytes] = []
        self._in_message = self._in_head = True
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Take the URL, or a part of it."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the only field that matters; a trailer's fields don't."""
        if self._in_head and name.lower() == b"x-forwarded-for":
            self._forwarded.append(value)

    def on_headers_complete(self) -> None:
        """Note that the head is complete; a body may follow, which is ignored."""
        self._in_head = False
        self._has_asked = True

    def on_message_complete(self) -> None:
        """Take the request."""
        self._in_message = False
        closes = self._parser.get_http_version() == "1.0" or not self._parser.should_keep_alive()
        method = self._parser.get_method()
        path, _, query = self._url.partition(b"?")
        target: Target | None = parse_path(path) if method == b"GET" else None
        if target is None:
            self._enqueue(page_for(method, path), closes=closes)
        else:
            forwarded_for = b",".join(self._forwarded).decode("latin-1")
            self._enqueue(HttpRequest(target, query, forwarded_for, closes), closes=closes)

    def _enqueue(self, request: HttpRequest | Page, *, closes: bool) -> None:
        self._waiting.append((request, closes))
        if not self._busy:
            self._busy = True
            self._open.run(self._answer_waiting())
        elif not self._paused:
            self._paused = True
            self._transport.pause_reading()

    async def _answer_waiting(self) -> None:
        while self._waiting:
            request, closes = self._waiting.popleft()
            answer = request if isinstance(request, Page) else await self._handler.answer(request, self._address)
            if self._unread:
                await self._unread
            if self._transport.is_closing():
                return
            self._write(answer, closes=closes or ((self._closing or self._draining) and not self._waiting))
        self._busy = False
        self._idle_since = self._loop.time()
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def _write(self, answer: bytes | Page, *, closes: bool) -> None:
        if isinstance(answer, Page):
            self._transport.write(answer.to_bytes(closes=closes))
        else:
            self._transport.write(answer_to_bytes(answer, closes=closes))
        if closes:
            self._waiting.clear()
            self._transport.close()

    def _limit_head(self, received: int) -> None:
        if self._head_bytes:
            self._head_bytes += received
        else:  # the first read may contain other requests too
            self._head_bytes = 1
            self._idle_since = self._loop.time()
        if self._head_bytes > MAX_HEAD_BYTES:
            self._reject(HEAD_TOO_LARGE)

    def _reject(self, page: Page) -> None:
        """Refuse what isn't HTTP, unless earlier requests still wait for their answers."""
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
        """Close a connection that waited too long for its client; otherwise look again when it might have."""
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
        waits_for_head = self._in_head or not self._has_asked
        return self._timeouts.head_seconds if waits_for_head else self._timeouts.idle_seconds
