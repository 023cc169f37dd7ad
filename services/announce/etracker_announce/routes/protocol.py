"""A connection: announces and scrapes skip ASGI, the rest goes uvicorn's ordinary way.

An ASGI scope, a request-response cycle and FastAPI's routing cost more than answering an announce does.
Everything here is per connection and bounded: the head of a request in size and time, a kept connection
in time, an unread answer by flow control.
"""

import asyncio
from socket import inet_aton
from typing import Any, ClassVar

import httptools
from structlog import get_logger
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from etracker_announce.domain.addresses import Client, describe_client
from etracker_announce.domain.request import Target, parse_path
from etracker_announce.routes.exchange import FRONT, Exchange, Front
from etracker_announce.routes.short_request import parse_short_request

MAX_HEAD_BYTES = 32_768
LAST_CHANCE_SECONDS = 1.0
"""How long a connection on which nothing was asked yet may still ask once the service stops."""

_UNIX_SOCKET = describe_client(inet_aton("127.0.0.1"))
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

_BAD_URL = (httptools.HttpParserInvalidURLError, UnicodeDecodeError, AttributeError)
"""What uvicorn raises over a URL that isn't one: in a part of it, as text, without a path."""

log = get_logger("connection")


class TrackerProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a short way for GET requests of the tracker's paths."""

    head_seconds: ClassVar[float] = 10.0
    """How long a client may take to send the head of a request."""
    unread_seconds: ClassVar[float] = 20.0
    """How long a client may leave answers unread once they fill the buffers."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._front: Front = app_state[FRONT]
        self._target: Target | None = None
        self._query = b""
        self._head_bytes = 0
        self._in_message = False
        self._in_head = False
        self._asked = False
        self._draining = False
        self._deaf = False
        self._waiting_since = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self.first_bytes = b""
        """What was read of the connection before it got its transport."""

    # asyncio's calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Watch the clock from the first moment: a client may never ask."""
        super().connection_made(transport)
        self._waiting_since = self.loop.time()
        self._watch = self.loop.call_later(min(self.head_seconds, self.timeout_keep_alive), self._look_at_clock)
        if self.first_bytes:
            self.data_received(self.first_bytes)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of what nobody will read."""
        if self._watch:
            self._watch.cancel()
        for cycle, _ in self.pipeline:
            cycle.disconnected = True
        self.pipeline.clear()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Start the clock of a client that doesn't read."""
        super().pause_writing()
        self._waiting_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Parse what came; the parser calls back."""
        if self._deaf:
            return
        if not (self._in_message or self._busy) and (request := parse_short_request(data)):
            self._asked = True
            client = self._find_client(request.forwarded_for)
            self._exchange(request.target, request.query, client, keep_alive=not (request.closes or self._draining))
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._finish()
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, _BAD_URL):
                log.exception("request_not_taken")
            self._reject()
        except httptools.HttpParserError:
            self._reject()
        if self._in_head:
            self._bound_head(len(data))

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio's own protocol returns bool
        """Let a client that only closed its sending half have its answer."""
        if not self._busy:
            return False
        self._finish()
        return True

    def shutdown(self) -> None:
        """Answer what is under way or still coming, then close: uvicorn's call when it stops."""
        self._draining = True
        if self._busy:
            self.cycle.keep_alive = False
        elif self._in_head or not self._asked:
            self.loop.call_later(LAST_CHANCE_SECONDS, self._close_if_idle)
        else:
            self.transport.close()

    # httptools' calls

    def on_message_begin(self) -> None:
        """Begin a request without the ASGI scope that uvicorn would make."""
        self.url = b""
        self.headers = []
        self._in_message = self._in_head = True
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header as it came."""
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Decide whose the request is."""
        self._in_head = False
        self._asked = True
        self._target = None
        if self.parser.get_method() == b"GET" and not self.parser.should_upgrade():
            path, _, self._query = self.url.partition(b"?")
            self._target = parse_path(path)
        if self._target is None:
            self._hand_over()

    def on_body(self, body: bytes) -> None:
        """Read past the body of an announce: it has none by right."""
        if self._target is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Start answering."""
        self._in_message = False
        if self._target is None:
            super().on_message_complete()
            return
        keep_alive = not self._draining and self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        forwarded = [value for name, value in self.headers if name.lower() == b"x-forwarded-for"]
        client = self._find_client(b",".join(forwarded).decode("latin-1"))
        self._exchange(self._target, self._query, client, keep_alive=keep_alive)

    # uvicorn's call

    def on_response_complete(self) -> None:
        """Start the next request of the pipeline, or wait for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._waiting_since = self.loop.time()

    @property
    def _busy(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def _hand_over(self) -> None:
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()
        self.cycle.keep_alive &= not self._draining

    def _exchange(self, target: Target, query: bytes, client: Client, *, keep_alive: bool) -> None:
        exchange = Exchange(
            front=self._front,
            target=target,
            query=query,
            client=client,
            transport=self.transport,
            flow=self.flow,
            on_response=self.on_response_complete,
            keep_alive=keep_alive,
        )
        busy = self._busy
        self.cycle = exchange  # type: ignore[assignment]
        if busy:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self.app))  # type: ignore[arg-type]
        else:
            self._start_asgi_task(exchange, self.app)  # type: ignore[arg-type]

    def _find_client(self, forwarded_for: str) -> Client:
        return self._front.find_client(self.client[0], forwarded_for) if self.client else _UNIX_SOCKET

    def _bound_head(self, received: int) -> None:
        if self._head_bytes:
            self._head_bytes += received
        else:  # the first read may hold other requests too
            self._head_bytes = 1
            self._waiting_since = self.loop.time()
        if self._head_bytes > MAX_HEAD_BYTES:
            self._reject(_TOO_LARGE)

    def _reject(self, response: bytes | None = None) -> None:
        """Answer what isn't HTTP, after what was asked before it."""
        if self.transport.is_closing():
            return
        if self._busy:
            self._finish()
        elif response:
            self.transport.write(response)
            self.transport.close()
        else:
            self.send_400_response("Invalid HTTP request received.")

    def _finish(self) -> None:
        """Close once what was asked is answered; listen to nothing more."""
        self._deaf = True
        if self._busy:
            self.cycle.keep_alive = False
        else:
            self.transport.close()

    def _close_if_idle(self) -> None:
        if not self._busy and not self.transport.is_closing():
            self.transport.close()

    def _look_at_clock(self) -> None:
        """Close a connection that waited too long for its client; otherwise look again when it might have."""
        if self.transport.is_closing():
            self.transport.abort()  # it had its answer for long enough to read it
            return
        unread = self.flow.write_paused
        patience = self.unread_seconds if unread else self._patience()
        waited = 0.0 if self._busy and not unread else self.loop.time() - self._waiting_since
        if waited >= patience:
            (self.transport.abort if unread else self.transport.close)()
            waited = 0.0
        pause = min(patience - waited, self.head_seconds, self.timeout_keep_alive)
        self._watch = self.loop.call_later(pause, self._look_at_clock)

    def _patience(self) -> float:
        return self.head_seconds if self._in_head or not self._asked else float(self.timeout_keep_alive)
