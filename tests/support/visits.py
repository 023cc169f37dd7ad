"""Clients like most real ones: they open a connection for each announce, at a steady rate, whatever the answers."""

import asyncio
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.load import Session

ATTEMPTS = 3
PATIENCE_SECONDS = 20.0
"""Less than any client waits for an answer."""


@dataclass(frozen=True)
class Broken:
    """A connection without an answer: from when to when it lasted, in monotonic seconds, and what came instead."""

    began: float
    ended: float
    reason: str


@dataclass
class Visits:
    """How a load went.

    ``waits``: the seconds from each connection to its answer. ``broken``: the announces that had to be repeated.
    """

    sent: int = 0
    waits: list[float] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    def __str__(self) -> str:
        ordered = sorted(self.waits) or [0.0]
        quantiles = ", ".join(f"p{part}: {ordered[len(ordered) * part // 100] * 1000:.0f} ms" for part in (50, 99))
        reasons = sorted({one.reason for one in self.broken})
        longest = f"longest {ordered[-1] * 1000:.0f} ms"
        return f"{self.sent} sent, {len(self.broken)} broken {reasons}, {quantiles}, {longest}"


class Visitors:
    """Sessions that announce at ``address`` one at a time, and again if they get no answer, as clients do."""

    def __init__(self, address: tuple[str, int], sessions: Sequence[Session]) -> None:
        self._address = address
        self._free = list(sessions)
        self._ended = asyncio.Event()
        self.visits = Visits()

    async def run(self, per_second: float) -> None:
        """Announce until :meth:`end` is called, and return when everything is answered."""
        start, number = time.monotonic(), 0
        async with asyncio.TaskGroup() as group:
            while not self._ended.is_set():
                due = start + number / per_second
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                group.create_task(self._announce(self._free.pop(0)))
                number += 1

    def end(self) -> None:
        """Send nothing more."""
        self._ended.set()

    async def _announce(self, session: Session) -> None:
        for _ in range(ATTEMPTS):
            began, target, uploaded = time.monotonic(), session.target(), session.uploaded
            self.visits.sent += 1
            answer = await self._ask(target)
            ended = time.monotonic()
            if "8:complete" in answer:
                session.acknowledge(uploaded)
                self.visits.waits.append(ended - began)
                break
            self.visits.broken.append(Broken(began, ended, answer))
        self._free.append(session)

    async def _ask(self, target: bytes) -> str:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                received = await _exchange(self._address, target)
        except (OSError, TimeoutError) as error:
            return type(error).__name__
        return received.partition(b"\r\n\r\n")[2].decode("latin-1") or "no answer"


async def _exchange(address: tuple[str, int], target: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    request = b"GET " + target + b" HTTP/1.1\r\nHost: tracker\r\nConnection: close\r\n\r\n"
    with socket.socket() as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, address)
        await loop.sock_sendall(connection, request)
        received = b""
        while data := await loop.sock_recv(connection, 65536):
            received += data
        return received
