"""Request bodies that nobody reads: received in time or not at all, and dropped within bounds; pure ASGI.

A connection that is closed while its client still sends is reset, and the reset may overtake the answer. Many clients
read no answer before they have sent everything, and a proxy between gives up on whoever closes early. So while a body
flows it is read and dropped before its answer is sent. Once it pauses the answer is sent, the rest is read and dropped,
and then the connection is closed. A client that sends too much, or too slowly, is reset after all.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SLOWEST_BYTES_PER_SECOND = 16 * 1024
DROPPED_BYTES = 32 * 1024 * 1024
"""Of a body whose length is declared."""
DROPPED_CHUNKED_BYTES = 18 * 1024 * 1024
"""Of one that may be endless: a little more than any route reads."""
DROPS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class BodyBounds:
    """How long bodies may take.

    One that is read: ``grace_seconds`` and the time it takes at the slowest speed. One that is dropped:
    ``drop_seconds``, and ``drop_pause_seconds`` in which nothing comes. Its answer is sent as soon as nothing has come
    for ``flow_pause_seconds``.
    """

    grace_seconds: float = 20
    drop_seconds: float = 30
    drop_pause_seconds: float = 3
    flow_pause_seconds: float = 0.25


class SlowBodyError(Exception):
    """A body comes too slowly."""


class UnreadBodies:
    """Looks after the body of each request."""

    def __init__(self, app: ASGIApp, bounds: BodyBounds = BodyBounds()) -> None:
        self._app = app
        self._bounds = bounds
        self._dropping = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and see to what is left of its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, self._bounds)
        answer = _Answer(body, send, lambda: self._drop(body, self._bounds.flow_pause_seconds))
        await self._app(scope, body.receive, answer.send)
        if answer.held_back:
            await self._drop(body, self._bounds.drop_pause_seconds)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drop(self, body: "_Body", pause_seconds: float) -> None:
        if self._dropping >= DROPS_AT_ONCE or not body.is_coming:
            return
        self._dropping += 1
        try:
            async with asyncio.timeout(self._bounds.drop_seconds):
                await body.drop(pause_seconds)
        except TimeoutError:
            return
        finally:
            self._dropping -= 1


class _Body:
    """One body: how much of it has come, and whether there is more."""

    def __init__(self, scope: Scope, receive: Receive, bounds: BodyBounds) -> None:
        headers = {name: value for name, value in scope["headers"] if name in _ANNOUNCING}
        self.is_unread = b"transfer-encoding" in headers or headers.get(b"content-length", b"0").strip() != b"0"
        self._dropped_bytes = DROPPED_BYTES if b"content-length" in headers else DROPPED_CHUNKED_BYTES
        self._waits_for_continue = b"expect" in headers
        self._receive = receive
        self._bounds = bounds
        self._received_bytes = 0
        self._waited_seconds = 0.0
        self.is_answered = False

    @property
    def is_coming(self) -> bool:
        """Whether the client sends the rest without being told to."""
        return self.is_unread and not (self._waits_for_continue and not self._received_bytes)

    async def receive(self) -> Message:
        """Receive as ASGI says.

        Raises:
            SlowBodyError: the body comes too slowly, and nothing has been answered yet.
        """
        if not self.is_unread:
            return await self._receive()
        if self.is_answered and self._received_bytes > self._dropped_bytes:
            return {"type": "http.disconnect"}
        allowed_seconds = self._bounds.grace_seconds + self._received_bytes / SLOWEST_BYTES_PER_SECOND
        try:
            return await self._receive_within(allowed_seconds - self._waited_seconds)
        except TimeoutError:
            if self.is_answered:
                return {"type": "http.disconnect"}
            raise SlowBodyError from None

    async def drop(self, pause_seconds: float) -> None:
        """Receive the rest, within bounds.

        Raises:
            TimeoutError: nothing has come for ``pause_seconds``.
        """
        while self.is_unread and self._received_bytes < self._dropped_bytes:
            await self._receive_within(pause_seconds)

    async def _receive_within(self, seconds: float) -> Message:
        start = time.monotonic()
        async with asyncio.timeout(seconds):
            message = await self._receive()
        self._waited_seconds += time.monotonic() - start
        self._received_bytes += len(message.get("body", b""))
        self.is_unread = bool(message.get("more_body", False))
        return message


_ANNOUNCING = frozenset({b"content-length", b"transfer-encoding", b"expect"})


class _Answer:
    """Holds back the end of an answer while its request's body isn't read; all of it while the body flows."""

    def __init__(self, body: _Body, send: Send, drop: Callable[[], Awaitable[None]]) -> None:
        self._body = body
        self._send = send
        self._drop = drop
        self._closes = False
        self.held_back = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._body.is_answered = True
            await self._drop()
            self._closes = self._body.is_unread
            if self._closes:
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        elif self._closes and not message.get("more_body", False):
            message = {**message, "more_body": True}
            self.held_back = True
        await self._send(message)
