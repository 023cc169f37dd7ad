"""A bounded load of announces that remembers what was acknowledged.

The sums here are independent of the tracker: each session counts up by itself, and only an answer
without a failure reason counts as acknowledged.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

UNLIMITED = {"ETRACKER_BUDGET_BURST": "0", "ETRACKER_SHARED_NETWORKS": "127.0.0.0/8"}
"""Settings for a tracker under a load: every announce has its fact, and all sessions may share an address."""

STEP_BYTES = 1_000_003
"""What a session adds to its counter with each announce: a prime, so that sums give mistakes away."""


@dataclass
class Session:
    """One client instance in one torrent. ``acknowledged`` are counters as the tracker acknowledged them."""

    key: str
    info_hash: bytes
    peer_id: bytes
    port: int
    uploaded: int = 0
    first_acknowledged: int | None = None
    last_acknowledged: int | None = None

    def target(self) -> bytes:
        """Count up and return the path and query of the next announce."""
        self.uploaded += STEP_BYTES
        query = (
            f"info_hash={quote_from_bytes(self.info_hash)}&peer_id={quote_from_bytes(self.peer_id)}"
            f"&port={self.port}&uploaded={self.uploaded}&downloaded=0&left=0&compact=1&numwant=30"
        )
        return f"/{self.key}/announce?{query}".encode()

    def acknowledge(self, uploaded: int) -> None:
        """Remember an acknowledged counter."""
        if self.first_acknowledged is None:
            self.first_acknowledged = uploaded
        self.last_acknowledged = uploaded

    @property
    def credit(self) -> int:
        """What the tracker must have credited once the last counter is acknowledged."""
        assert self.first_acknowledged is not None
        assert self.last_acknowledged is not None
        return self.last_acknowledged - self.first_acknowledged


@dataclass
class Tally:
    """How a load went.

    ``sent``: requests sent, including the ``resent`` ones: those repeated because a kept connection broke.
    ``failures``: by what was received instead of an answer. ``answered_at``, ``failed_at``: monotonic seconds.
    """

    sent: int = 0
    resent: int = 0
    acknowledged: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    answered_at: list[float] = field(default_factory=list)
    failed_at: list[float] = field(default_factory=list)

    def fail(self, reason: str) -> None:
        """Count a failure."""
        self.failures[reason] = self.failures.get(reason, 0) + 1
        self.failed_at.append(time.monotonic())

    def longest_silence(self) -> float:
        """Return the longest time between two acknowledged announces, in seconds."""
        return max((b - a for a, b in zip(self.answered_at, self.answered_at[1:], strict=False)), default=0.0)


class Connection:
    """One keep-alive connection that reconnects when it breaks, and counts in ``tally`` what it sends."""

    def __init__(
        self, host: str, port: int, tally: Tally, *, timeout_seconds: float = 5.0, source: str | None = None
    ) -> None:
        self._host, self._port, self._timeout = host, port, timeout_seconds
        self._source = None if source is None else (source, 0)
        self._tally = tally
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, target: bytes) -> bytes:
        """Return the body of the answer to one GET.

        Raises:
            OSError, EOFError, TimeoutError: no answer.
        """
        reused = self._streams is not None
        try:
            async with asyncio.timeout(self._timeout):
                return await self._get(target)
        except (ConnectionResetError, BrokenPipeError, asyncio.IncompleteReadError):
            self.close()
            if not reused:
                raise
        except (OSError, EOFError, TimeoutError):
            self.close()
            raise
        # A kept connection may be closed at any time: every HTTP client repeats the request on a new one.
        self._tally.resent += 1
        return await self.get(target)

    async def _get(self, target: bytes) -> bytes:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, local_addr=self._source)
        reader, writer = self._streams
        self._tally.sent += 1
        writer.write(b"GET " + target + b" HTTP/1.1\r\nHost: tracker\r\n\r\n")
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"http/1.1 200"):
            raise EOFError(head.split(b"\r\n", 1)[0].decode())
        if b"connection: close" in head:
            self.close()
        return body

    def close(self) -> None:
        """Close the connection, if any."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Load:
    """Sessions that announce through one address at a steady rate."""

    def __init__(
        self,
        address: tuple[str, int],
        sessions: Sequence[Session],
        *,
        connections: int = 32,
        timeout_seconds: float = 5.0,
    ) -> None:
        self.sessions = sessions
        self.tally = Tally()
        self._connections = [
            Connection(*address, self.tally, timeout_seconds=timeout_seconds) for _ in range(connections)
        ]
        self._start = self._end = 0.0
        self._asked = 0

    async def run(self, *, per_second: float, seconds: float) -> None:
        """Announce session after session, ``per_second`` in all, for ``seconds`` or until told to end."""
        workers = len(self._connections)
        start = self._start = time.monotonic()
        self._end = start + seconds
        self._asked = 0

        async def work(number: int) -> None:
            mine = self.sessions[number::workers]
            turn = 0
            while (due := start + (turn * workers + number) / per_second) < self._end:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if time.monotonic() > self._end:
                    return
                self._asked += 1
                await self._announce(self._connections[number], mine[turn % len(mine)])
                turn += 1

        await asyncio.gather(*(work(number) for number in range(workers)))

    def rate(self) -> float:
        """Return how many announces per second the last run made."""
        return self._asked / (time.monotonic() - self._start)

    def end_after(self, seconds: float) -> None:
        """End the run earlier than planned, this many seconds from now."""
        self._end = min(self._end, time.monotonic() + seconds)

    async def announce_all_once(self, *, attempts: int = 1, pause_seconds: float = 1.0) -> None:
        """Let every session announce until it is acknowledged, as clients do after an outage.

        Raises:
            AssertionError: a session wasn't acknowledged in so many attempts.
        """

        async def work(number: int) -> None:
            for session in self.sessions[number :: len(self._connections)]:
                for _ in range(attempts):
                    if await self._announce(self._connections[number], session):
                        break
                    await asyncio.sleep(pause_seconds)
                else:
                    raise AssertionError(f"never acknowledged, tally {self.tally.failures}")

        await asyncio.gather(*(work(number) for number in range(len(self._connections))))

    async def _announce(self, connection: Connection, session: Session) -> bool:
        target = session.target()
        uploaded = session.uploaded
        try:
            body = await connection.get(target)
        except (OSError, EOFError, TimeoutError) as error:
            self.tally.fail(type(error).__name__)
            return False
        if b"failure reason" in body:
            self.tally.fail(body[:120].decode("ascii", "replace"))
            return False
        session.acknowledge(uploaded)
        self.tally.acknowledged += 1
        self.tally.answered_at.append(time.monotonic())
        return True

    def close(self) -> None:
        """Close every connection."""
        for connection in self._connections:
            connection.close()
