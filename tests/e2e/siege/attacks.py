"""Attacks that a single script can make from a few addresses, and how often each is made."""

import asyncio
import contextlib
import secrets
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

from tests.support.netns import NETWORK_IPV4

HOLD_SECONDS = 12.0
"""How long an attacker keeps an idle connection open."""
_CLOSE = "Host: tracker\r\nConnection: close\r\n"
_JSON_PATHS = ("/api/infohash", "/api/v1/infohashes", "/api/v1/operators")


@dataclass(frozen=True)
class Target:
    """What is attacked. ``key`` and ``info_hash`` (hex) are of a large torrent that anybody may download."""

    gateway: tuple[str, int]
    announce: tuple[str, int]
    key: str
    info_hash: str

    @property
    def doors(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """Both ways to announce."""
        return self.gateway, self.announce


@dataclass(frozen=True)
class Attack:
    """``once`` makes one attempt. ``per_second``: how many begin; ``at_once``: how many may run at the same time."""

    name: str
    once: Callable[[Target], Awaitable[None]]
    per_second: float
    at_once: int = 64


def _addresses() -> Iterator[str]:
    """Yield the attackers' 16 addresses in turn, without end."""
    for number in count():
        yield str(NETWORK_IPV4[9 * 256 + 1 + number % 16])


_from = _addresses()


@asynccontextmanager
async def _connected(
    door: tuple[str, int], *, buffer_bytes: int | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect; ``buffer_bytes`` limits what is received without being read."""
    connection = socket.socket()
    connection.setblocking(False)
    if buffer_bytes is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    connection.bind((next(_from), 0))
    await asyncio.get_running_loop().sock_connect(connection, door)
    limit = buffer_bytes or 2**16
    reader, writer = await asyncio.open_connection(sock=connection, limit=limit)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _say(door: tuple[str, int], request: bytes) -> None:
    async with _connected(door) as (reader, writer):
        writer.write(request)
        await writer.drain()
        while await reader.read(65536):
            pass


def _announce_query(info_hash: str, port: int) -> str:
    return f"info_hash={info_hash}&peer_id=-XX0001-{port:012d}&port={port}&uploaded=0&downloaded=0&left=0"


async def malformed_chunks(target: Target) -> None:
    """Announce, scrape and call the API with a nonsensical body that breaks off in the middle."""
    broken = f"HTTP/1.1\r\n{_CLOSE}Transfer-Encoding: chunked\r\n\r\nZ\r\n"
    for request in ("GET /announce", f"GET /{target.key}/scrape", "GET /api/stats", "POST /api/torrentfile"):
        await _say(target.gateway, f"{request} {broken}".encode())
    await _say(target.announce, f"GET /announce {broken}".encode())


async def upload_without_key(target: Target) -> None:
    """Upload 18 MB without a key, or with a wrong one."""
    head = "POST /api/torrentfile HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    wrong = secrets.choice(["", f"Authorization: {secrets.token_hex(20)}\r\n"])
    async with _connected(target.gateway) as (reader, writer):
        writer.write(f"{head}{wrong}{_CLOSE}Content-Length: 18000000\r\n\r\n".encode())
        for _ in range(18):
            writer.write(bytes(1_000_000))
            await writer.drain()
        await reader.read()


async def json_without_key(target: Target) -> None:
    """Send JSON in endless chunks to routes that only operators may use."""
    async with _connected(target.gateway) as (reader, writer):
        head = f"POST {secrets.choice(_JSON_PATHS)} HTTP/1.1\r\n{_CLOSE}Transfer-Encoding: chunked\r\n\r\n"
        writer.write(head.encode())
        for _ in range(40):
            writer.write(b"10000\r\n" + b"[" * 65536 + b"\r\n")
            await writer.drain()
        await reader.read()


async def slow_body(target: Target) -> None:
    """Send a body byte by byte."""
    async with _connected(target.gateway) as (_, writer):
        writer.write(f"POST /api/infohash HTTP/1.1\r\n{_CLOSE}Content-Length: 60000\r\n\r\n".encode())
        for _ in range(int(HOLD_SECONDS)):
            await asyncio.sleep(1)
            writer.write(b" ")
            await writer.drain()


async def unread_download(target: Target) -> None:
    """Ask for a large torrent file and don't read it."""
    async with _connected(target.gateway, buffer_bytes=4096) as (_, writer):
        path = f"/api/torrentfile?announce_key={target.key}&info_hash={target.info_hash}"
        writer.write(f"GET {path} HTTP/1.1\r\n{_CLOSE}\r\n".encode())
        await asyncio.sleep(HOLD_SECONDS)


async def unread_scrapes(target: Target) -> None:
    """Ask for many scrapes on one connection and read none."""
    query = "&".join(f"info_hash={number:020d}" for number in range(64))
    scrape = f"GET /{target.key}/scrape?{query} HTTP/1.1\r\nHost: tracker\r\n\r\n".encode()
    async with _connected(target.announce, buffer_bytes=4096) as (_, writer):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HOLD_SECONDS):
                for _ in range(1000):
                    writer.write(scrape)
                    await writer.drain()
        await asyncio.sleep(HOLD_SECONDS)


async def long_forwarded_for(target: Target) -> None:
    """Announce with a different header of 30 kB each time, both where it is believed and where it isn't."""
    hops = secrets.token_hex(6000)
    header = f"X-Forwarded-For: {hops}, {hops}\r\n"
    query = _announce_query("a" * 20, 6881)
    await _say(target.announce, f"GET /announce?{query} HTTP/1.1\r\n{_CLOSE}{header}\r\n".encode())
    reader, writer = await asyncio.open_connection("127.0.0.1", target.announce[1])
    try:
        writer.write(f"GET /announce?{query} HTTP/1.1\r\n{_CLOSE}{header}\r\n".encode())
        await reader.read()
    finally:
        writer.transport.abort()


async def wrong_keys(target: Target) -> None:
    """Guess an operator's key and an announce key."""
    wrong = secrets.token_hex(20)
    await _say(target.gateway, f"GET /api/v1/operators HTTP/1.1\r\n{_CLOSE}Authorization: {wrong}\r\n\r\n".encode())
    await _say(target.gateway, f"GET /api/v1/standing HTTP/1.1\r\n{_CLOSE}X-Announce-Key: {wrong}\r\n\r\n".encode())


async def made_up_announces(target: Target) -> None:
    """Announce keys and torrents that don't exist."""
    for door in target.doors:
        info_hash = "".join(f"%{byte:02x}" for byte in secrets.token_bytes(20))
        query = _announce_query(info_hash, 6881)
        request = f"GET /{secrets.token_hex(15)}/announce?{query} HTTP/1.1\r\n{_CLOSE}\r\n"
        await _say(door, request.encode())


async def nonsense(target: Target) -> None:
    """Request what doesn't exist, with methods that aren't allowed."""
    for request in (
        "GET /nowhere HTTP/1.1",
        "PURGE /api/stats HTTP/1.1",
        f"GET /api/v1/torrents?sort={'x' * 3000} HTTP/1.1",
        "POST /announce HTTP/1.1",
        "GET /api/torrentfile?announce_key=no&info_hash=no HTTP/1.1",
    ):
        await _say(target.gateway, f"{request}\r\n{_CLOSE}\r\n".encode())
    for request in ("GET / HTTP/9.9", "\x00\x01", f"GET /announce?{'&' * 4000} HTTP/1.1"):
        await _say(target.announce, f"{request}\r\n{_CLOSE}\r\n".encode())


async def more_keys(target: Target) -> None:
    """Request more announce keys than any limit allows."""
    await _say(target.gateway, f"GET /api/generate HTTP/1.1\r\n{_CLOSE}\r\n".encode())


async def silent_connections(target: Target) -> None:
    """Connect, begin a request or none, and send nothing more."""
    async with _connected(target.gateway) as (_, first), _connected(target.announce) as (_, second):
        first.write(secrets.choice([b"", b"GET /ann"]))
        second.write(secrets.choice([b"", b"GET /ann"]))
        await asyncio.sleep(HOLD_SECONDS)


async def reset_connections(target: Target) -> None:
    """Send a request, and reset the connection before the answer can arrive."""
    query = _announce_query("b" * 20, 6882)
    for door in target.doors:
        async with _connected(door) as (_, writer):
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.write(f"GET /announce?{query} HTTP/1.1\r\nHost: tracker\r\n\r\n".encode())


ATTACKS = (
    Attack("malformed chunks", malformed_chunks, 20),
    Attack("uploads without a key", upload_without_key, 2, at_once=8),
    Attack("JSON without a key", json_without_key, 2, at_once=8),
    Attack("slow bodies", slow_body, 5),
    Attack("unread downloads", unread_download, 10, at_once=150),
    Attack("unread scrapes", unread_scrapes, 1, at_once=20),
    Attack("long X-Forwarded-For", long_forwarded_for, 30),
    Attack("wrong keys", wrong_keys, 20),
    Attack("made-up announces", made_up_announces, 40),
    Attack("nonsense", nonsense, 10),
    Attack("more keys", more_keys, 10),
    Attack("silent connections", silent_connections, 40, at_once=400),
    Attack("reset connections", reset_connections, 20),
)
_ATTEMPT_SECONDS = 40.0


async def attack(target: Target, chosen: Attack, pace: Callable[[], float]) -> None:
    """Attack until cancelled, at ``pace()`` times the attack's own rate."""
    running: set[asyncio.Task[None]] = set()
    try:
        while True:
            if len(running) < chosen.at_once:
                task = asyncio.create_task(_attempt(target, chosen))
                running.add(task)
                task.add_done_callback(running.discard)
            await asyncio.sleep(1 / (chosen.per_second * pace()))
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _attempt(target: Target, chosen: Attack) -> None:
    with contextlib.suppress(OSError, EOFError, TimeoutError):  # an attacker that is disconnected comes back
        async with asyncio.timeout(_ATTEMPT_SECONDS):
            await chosen.once(target)
