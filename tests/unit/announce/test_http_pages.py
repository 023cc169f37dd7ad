"""What the announce port answers to anything but announces and scrapes, and how far it reads ahead."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from etracker_announce.frontends.http.connection import HttpConnection
from etracker_announce.frontends.http.server import HttpServer
from tests.support.announce import query
from tests.support.announce_ports import HASH, PEER, Scripted

DEADLINE_SECONDS = 20.0
ANNOUNCE = f"GET /announce?{query(HASH, PEER)} HTTP/1.1\r\nHost: t\r\n\r\n".encode()


@pytest.fixture
async def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
async def server(scripted: Scripted) -> AsyncIterator[HttpServer]:
    async with scripted.serving() as running:
        yield running


async def exchange(server: HttpServer, request: bytes) -> bytes:
    """Send a request, and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    async with asyncio.timeout(DEADLINE_SECONDS):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /healthz", 200),
        ("POST /healthz", 405),
        ("HEAD /healthz", 200),
        ("GET /healthz/", 404),
        ("GET /", 404),
        ("GET /metrics", 404),
        ("GET /a/b/announce", 404),
        ("GET http://t/other", 404),
        ("POST /announce", 405),
        ("OPTIONS *", 404),
    ],
)
async def test_every_other_request_gets_a_small_page(server: HttpServer, line: str, status: int) -> None:
    request = f"{line} HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"
    head, _, body = (await exchange(server, request.encode())).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert len(head + body) < 200
    assert (b"Allow: GET, HEAD" in head) == (status == 405)


async def test_a_head_request_gets_no_body(server: HttpServer) -> None:
    request = b"HEAD /x HTTP/1.1\r\nHost: t\r\n\r\nGET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
    first, second, body = (await exchange(server, request)).split(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 404 ")
    assert second.startswith(b"HTTP/1.1 200 ")
    assert body == b"ok"


@pytest.mark.parametrize(
    "body", [b"5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nX-Forwarded-For: 192.0.2.99\r\n\r\n"]
)
async def test_a_chunked_body_and_its_trailer_are_ignored(server: HttpServer, scripted: Scripted, body: bytes) -> None:
    chunked = ANNOUNCE.replace(b"Host: t\r\n", b"Host: t\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n")
    assert b"5:peers0:" in await exchange(server, chunked + body)
    assert scripted.swarms.steps[0][0].endpoint[:4] == bytes([127, 0, 0, 1])


async def test_a_pipeline_is_read_on_only_once_it_is_answered(scripted: Scripted, server: HttpServer) -> None:
    """Whatever a client sends, the memory it takes is bounded: here by what one read brings."""
    scripted.swarms.hold = asyncio.Event()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.settimeout(0)
        for _ in range(20_000):
            try:
                client.send(ANNOUNCE * 10)
            except BlockingIOError:
                break
        connection = await the_connection(server)
        ahead = len(connection._waiting)
        scripted.swarms.hold.set()
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(scripted.swarms.steps) < ahead // 2:
                assert len(connection._waiting) <= ahead
                await asyncio.sleep(0)


async def test_what_takes_too_long_when_the_service_stops_is_cut_off(
    scripted: Scripted, server: HttpServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Announces that wait for Redis, on both kinds of connections, and clients that don't read."""
    scrape = b"GET /scrape?" + b"&".join(b"info_hash=%020d" % n for n in range(64)) + b" HTTP/1.1\r\nHost: t\r\n\r\n"
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", server.port))
        deaf.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            for _ in range(20_000):
                deaf.send(scrape)
        connection = await the_connection(server)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while connection._unread is None:  # noqa: ASYNC110 - the connection has no event
                await asyncio.sleep(0.005)
        scripted.swarms.hold = asyncio.Event()
        closing = ANNOUNCE.replace(b"Host", b"Connection: close\r\nHost")
        waiting = [asyncio.create_task(exchange(server, request)) for request in (ANNOUNCE, closing)]
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(scripted.swarms.steps) < 2:  # noqa: ASYNC110 - the stand-in has no event
                await asyncio.sleep(0.005)
        await server.open.drain(0.05)
        assert not server.open.tasks
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(answer == b"" or isinstance(answer, ConnectionError) for answer in answers)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not server.open.is_empty:  # noqa: ASYNC110 - the server has no event
                await asyncio.sleep(0.005)
    assert not caplog.records


async def the_connection(server: HttpServer) -> HttpConnection:
    """Return the only connection, once it has requests waiting."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            for connection in server.open.connections:
                assert isinstance(connection, HttpConnection)
                if connection._waiting:
                    return connection
            await asyncio.sleep(0.01)
