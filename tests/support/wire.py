"""One connection to announce's front end, and requests to send on it."""

import asyncio

from tests.support.announce import query
from tests.support.announce_ports import PEER

KEY = "0123456789abcdef0123456789abcd"
DEADLINE_SECONDS = 5.0


def request(path: str, *headers: str, version: str = "1.1") -> bytes:
    return "\r\n".join([f"GET {path} HTTP/{version}", "Host: tracker", *headers, "", ""]).encode()


def announce(port: int = 6881, *headers: str, version: str = "1.1") -> bytes:
    return request(f"/{KEY}/announce?{query(bytes(20), PEER, port=port)}", *headers, version=version)


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[bytes, bytes]:
        """Read one answer."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            return head, await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """Read until the server closes."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self.reader.read()
