"""Deadlines for clients: the head of a request must arrive in time, and the response must be read."""

import contextlib
import fcntl
import struct
import termios
from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20
MAX_HEAD_BYTES = 64 * 1024
LEAST_BYTES_PER_SECOND = 512
"""Clients that read more slowly than this are disconnected."""


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol for one connection, with deadlines that uvicorn doesn't have.

    Without them, a client that never reads keeps its response in memory indefinitely, even after uvicorn has closed the
    connection, because closing waits until everything is sent.
    """

    def __init__(self, *arguments: Any, write_timeout_seconds: float, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._write_timeout_seconds = write_timeout_seconds
        self._unsent_bytes = 0
        self._watch: TimerHandle | None = None
        self._head_deadline: TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Pause writing as soon as the kernel doesn't take everything, so that slow readers are noticed."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadlines."""
        _cancel(self._watch)
        _cancel(self._head_deadline)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Limit the size of the head; bodies are limited where they are read."""
        if self._head_deadline is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_deadline is not None and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """Start waiting for a head."""
        super().on_message_begin()
        if self._head_deadline is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Stop waiting for a head."""
        _cancel(self._head_deadline)
        self._head_deadline = None
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """Start checking whether the client reads."""
        super().pause_writing()
        if self._watch is None:
            self._look_later()

    def resume_writing(self) -> None:
        """Stop checking: the kernel has everything."""
        super().resume_writing()
        _cancel(self._watch)
        self._watch = None

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_deadline = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _look_later(self) -> None:
        self._unsent_bytes = _count_unsent(self.transport)
        self._watch = self.loop.call_later(self._write_timeout_seconds, self._look)

    def _look(self) -> None:
        read_bytes = self._unsent_bytes - _count_unsent(self.transport)
        if read_bytes < LEAST_BYTES_PER_SECOND * self._write_timeout_seconds:
            self.transport.abort()
        else:
            self._look_later()


def _count_unsent(transport: Any) -> int:
    """Count bytes waiting here and in the kernel, which takes more only once much of its queue has been read."""
    unsent = int(transport.get_write_buffer_size())
    with contextlib.suppress(OSError):
        queued = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        unsent += struct.unpack("i", queued)[0]
    return unsent


def _cancel(timer: TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
