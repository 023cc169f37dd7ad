"""Request bodies that no route reads: received in time or not at all, and dropped within limits; pure ASGI.

A connection that is closed while its client is still sending is reset, and the reset may overtake the response. So a
response that is ready before the end of the body is sent first, the rest of the body is read and dropped, and then the
connection is closed. A client that sends too much, or too slowly, is reset after all.
"""

import asyncio
import time
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from etracker_admin_api.errors import SlowBodyError

SLOWEST_BYTES_PER_SECOND = 16 * 1024
DROPPED_BYTES = 32 * 1024 * 1024
"""Limit for a body of declared length."""
DROPPED_CHUNKED_BYTES = 18 * 1024 * 1024
"""Limit for a body that may be endless: a little more than any route reads."""
DROPS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class BodyBounds:
    """Time limits for bodies.

    A body that is read may take ``grace_seconds`` plus its time at the slowest accepted speed. A body that is dropped
    may take ``drop_seconds``, with pauses of at most ``drop_pause_seconds``.
    """

    grace_seconds: float = 20
    drop_seconds: float = 30
    drop_pause_seconds: float = 3


class UnreadBodies:
    """Reads and drops the part of a request's body that its route didn't read."""

    def __init__(self, app: ASGIApp, bounds: BodyBounds = BodyBounds()) -> None:
        self._app = app
        self._bounds = bounds
        self._dropping = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, then the rest of its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, self._bounds)
        response = _Response(body, send)
        await self._app(scope, body.receive, response.send)
        if response.held_back:
            await self._drop(body)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drop(self, body: "_Body") -> None:
        if self._dropping >= DROPS_AT_ONCE or not body.is_coming:
            return
        self._dropping += 1
        try:
            async with asyncio.timeout(self._bounds.drop_seconds):
                await body.drop()
        except TimeoutError:
            return
        finally:
            self._dropping -= 1


class _Body:
    """One body: how much of it has been received, and whether there is more."""

    def __init__(self, scope: Scope, receive: Receive, bounds: BodyBounds) -> None:
        headers = {name: value for name, value in scope["headers"] if name in _DECLARING}
        self.is_unread = b"transfer-encoding" in headers or headers.get(b"content-length", b"0").strip() != b"0"
        self._dropped_bytes = DROPPED_BYTES if b"content-length" in headers else DROPPED_CHUNKED_BYTES
        self._waits_for_continue = b"expect" in headers
        self._receive = receive
        self._bounds = bounds
        self._received_bytes = 0
        self._waited_seconds = 0.0
        self.has_response = False

    @property
    def is_coming(self) -> bool:
        """Whether the client sends the rest without waiting for 100 Continue."""
        return self.is_unread and not (self._waits_for_continue and not self._received_bytes)

    async def receive(self) -> Message:
        """Receive a message, as ASGI defines it.

        Raises:
            SlowBodyError: the body arrives too slowly, and no response has been sent yet.
        """
        if not self.is_unread:
            return await self._receive()
        if self.has_response and self._received_bytes > self._dropped_bytes:
            return {"type": "http.disconnect"}
        allowed_seconds = self._bounds.grace_seconds + self._received_bytes / SLOWEST_BYTES_PER_SECOND
        try:
            return await self._receive_within(allowed_seconds - self._waited_seconds)
        except TimeoutError:
            if self.has_response:
                return {"type": "http.disconnect"}
            raise SlowBodyError from None

    async def drop(self) -> None:
        """Receive the rest, within the limits."""
        while self.is_unread and self._received_bytes < self._dropped_bytes:
            await self._receive_within(self._bounds.drop_pause_seconds)

    async def _receive_within(self, seconds: float) -> Message:
        start = time.monotonic()
        async with asyncio.timeout(seconds):
            message = await self._receive()
        self._waited_seconds += time.monotonic() - start
        self._received_bytes += len(message.get("body", b""))
        self.is_unread = bool(message.get("more_body", False))
        return message


_CLOSING = ((b"connection", b"close"), (b"x-unread-body", b"1"))
"""The second header is for the gateway, which doesn't see the first and has to close its own connection too."""

_DECLARING = frozenset({b"content-length", b"transfer-encoding", b"expect"})


class _Response:
    """Holds back the end of a response until the request's body has been read."""

    def __init__(self, body: _Body, send: Send) -> None:
        self._body = body
        self._send = send
        self._closes = False
        self.held_back = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._body.has_response = True
            self._closes = self._body.is_unread
            if self._closes:
                message = {**message, "headers": [*message.get("headers", ()), *_CLOSING]}
        elif self._closes and not message.get("more_body", False):
            message = {**message, "more_body": True}
            self.held_back = True
        await self._send(message)
