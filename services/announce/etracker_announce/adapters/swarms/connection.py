"""A pipelined connection to one Redis: hiredis packs and parses, asyncio moves the bytes.

redis-py's pipeline costs 31 us per command, this connection 7 us. With one or two commands per announce, the difference
is a large part of the cost of an announce.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import cast

import hiredis

from etracker_announce.adapters.swarms.commands import Command
from etracker_announce.adapters.swarms.server import Refusal, Reply

_pack = cast("Callable[[Command], bytes]", hiredis.pack_command)
"""Cast, because hiredis' own annotation only allows commands of a single word."""


class _Batch:
    """Commands sent together, whose replies are still coming."""

    __slots__ = ("expected", "future", "replies")

    def __init__(self, expected: int, future: asyncio.Future[list[Reply]]) -> None:
        self.expected = expected
        self.future = future
        self.replies: list[Reply] = []


class Connection(asyncio.Protocol):
    """One connection. Batches are answered in the order they were sent."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(replyError=Refusal)
        self._batches: deque[_Batch] = deque()
        self._transport: asyncio.Transport | None = None
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand every complete reply to the batch it belongs to."""
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                self._take(reply)
        except hiredis.ProtocolError:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Fail whatever is still unanswered."""
        self._transport = None
        for batch in self._batches:
            if not batch.future.done():
                batch.future.set_exception(ConnectionError("The connection to Redis was lost."))
        self._batches.clear()
        self.closed.set()

    def execute(self, commands: Sequence[Command]) -> asyncio.Future[list[Reply]]:
        """Send commands in one write; the future gets their replies, or ConnectionError."""
        future: asyncio.Future[list[Reply]] = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            future.set_exception(ConnectionError("The connection to Redis is closed."))
        elif not commands:
            future.set_result([])
        else:
            self._batches.append(_Batch(len(commands), future))
            self._transport.write(b"".join([_pack(command) for command in commands]))
        return future

    def abort(self) -> None:
        """Drop the connection now, even if commands are still unanswered."""
        if self._transport is not None:
            self._transport.abort()

    def _take(self, reply: Reply) -> None:
        if not self._batches:
            raise hiredis.ProtocolError("a reply that nobody asked for")
        batch = self._batches[0]
        batch.replies.append(reply)
        if len(batch.replies) == batch.expected:
            self._batches.popleft()
            if not batch.future.done():
                batch.future.set_result(batch.replies)
