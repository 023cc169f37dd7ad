"""The PROXY protocol: whom a trusted proxy speaks for, whatever bytes it sends and however they are cut."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_announce.frontends.http.connection import Timeouts
from etracker_announce.frontends.http.proxy_header import MAX_HEADER_BYTES, read_proxy_header
from etracker_announce.frontends.http.server import HttpServer
from etracker_announce.settings import AnnounceSettings
from tests.support.announce import query
from tests.support.announce_ports import HASH, PEER, Scripted

DEADLINE_SECONDS = 5.0
ANNOUNCE = f"GET /announce?{query(HASH, PEER)} HTTP/1.1\r\nHost: t\r\n".encode()
CLOSING = ANNOUNCE + b"Connection: close\r\n\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def binary(transport: int, addresses: bytes, command: int = 0x21) -> bytes:
    return SIGNATURE + struct.pack(">BBH", command, transport, len(addresses)) + addresses


def over(address: str, fields: bytes = b"") -> bytes:
    packed = ip_address(address).packed
    transport = 0x11 if len(packed) == 4 else 0x21
    return binary(transport, packed + packed + struct.pack(">HH", 5000, 80) + fields)


NAMING = {
    "version 1": (b"PROXY TCP4 198.51.100.7 192.0.2.1 5000 80\r\n", "198.51.100.7"),
    "version 1, IPv6": (b"PROXY TCP6 2001:db8::7 2001:db8::1 65535 65535\r\n", "2001:db8::7"),
    "version 2": (over("198.51.100.7"), "198.51.100.7"),
    "version 2, IPv6": (over("2001:db8::7"), "2001:db8::7"),
    "version 2, IPv4 in IPv6": (over("::ffff:198.51.100.7"), "198.51.100.7"),
    "version 2 with fields": (over("198.51.100.7", b"\x01\x00\x02h2" + b"\xea\x03\xe8" + b"x" * 1000), "198.51.100.7"),
    "version 1, unknown": (b"PROXY UNKNOWN ffff:f 1 2 3\r\n", "127.0.0.1"),
    "version 2, its own connection": (binary(0, b"", 0x20), "127.0.0.1"),
    "version 2, a unix socket": (binary(0x31, b"\0" * 216), "127.0.0.1"),
    "none": (b"", "127.0.0.1"),
}
BROKEN = {
    "version 1 without addresses": b"PROXY TCP4\r\n",
    "version 1, rubbish": b"PROXY TCP4 198.51.100.7.8 192.0.2.1 5000 80\r\n",
    "version 1 without end": b"PROXY TCP4 " + b"1" * 200,
    "version 2, another command": binary(0x11, b"\0" * 12, 0x22),
    "version 2, version 3": binary(0x11, b"\0" * 12, 0x31),
    "version 2 without addresses": binary(0x11, b"\0" * 4),
    "version 2, too long": SIGNATURE + struct.pack(">BBH", 0x21, 0x11, MAX_HEADER_BYTES),
}


@pytest.fixture
async def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
async def server(scripted: Scripted) -> AsyncIterator[HttpServer]:
    async with scripted.serving(Timeouts(head_seconds=DEADLINE_SECONDS)) as running:
        yield running


async def exchange(server: HttpServer, *pieces: bytes) -> bytes:
    """Send pieces with a pause between them, and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.02)
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.promise(21)
@pytest.mark.parametrize(("header", "address"), NAMING.values(), ids=NAMING)
async def test_a_trusted_proxy_names_its_client_ahead_of_the_first_request(
    scripted: Scripted, server: HttpServer, header: bytes, address: str
) -> None:
    """In one piece with a request or in several, for one request and for all of a connection."""
    await exchange(server, header + CLOSING)
    await exchange(server, header[:9], header[9:] + ANNOUNCE[:9], ANNOUNCE[9:] + b"\r\n" + CLOSING)
    await exchange(server, header, CLOSING)
    packed = [ip_address(step.endpoint[:-2]) for step, _ in scripted.swarms.steps]
    assert packed == [ip_address(address)] * 4


@pytest.mark.promise(21)
async def test_the_next_proxy_is_named_by_x_forwarded_for(scripted: Scripted, server: HttpServer) -> None:
    """The header's address is another trusted proxy."""
    forwarded = ANNOUNCE + b"X-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n"
    await exchange(server, over("127.0.0.9") + forwarded)
    await exchange(server, over("198.51.100.7") + forwarded)
    assert [step.endpoint[:4] for step, _ in scripted.swarms.steps] == [b"\xcb\x00\x71\x09", b"\xc6\x33\x64\x07"]


@pytest.mark.parametrize("header", BROKEN.values(), ids=BROKEN)
async def test_a_broken_header_is_a_broken_request(server: HttpServer, header: bytes) -> None:
    assert (await exchange(server, header + CLOSING)).startswith(b"HTTP/1.1 400 ")


@pytest.mark.promise(21)
@pytest.mark.parametrize("header", [header for header, address in NAMING.values() if header], ids=list(NAMING)[:-1])
async def test_nobody_else_is_believed(header: bytes) -> None:
    scripted = Scripted(settings=AnnounceSettings(trusted_proxies="192.0.2.1"))
    async with scripted.serving() as server:
        assert (await exchange(server, header + CLOSING)).startswith(b"HTTP/1.1 400 ")
    assert not scripted.swarms.steps


@given(st.binary(max_size=300), st.sampled_from([b"", b"PROXY ", SIGNATURE, SIGNATURE + b"\x21\x11"]))
def test_any_bytes_are_a_header_or_none_or_malformed(data: bytes, start: bytes) -> None:
    with contextlib.suppress(ValueError):
        header = read_proxy_header(start + data)
        assert header is None or 0 <= header.length <= len(start + data)


@given(st.sampled_from([header for header, _ in NAMING.values()]), st.data())
def test_a_header_is_incomplete_until_its_last_byte(header: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, max(0, len(header) - 1)))
    if header:
        assert read_proxy_header(header[:cut]) is None
    read = read_proxy_header(header + b"GET / HTTP/1.1")
    assert read is not None
    assert read.length == len(header)
