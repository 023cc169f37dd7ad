"""HTTP as no library sends it: heads without their bodies, requests whose answers aren't read."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

SMALL_WINDOW = 4096


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def connect(url: str, *, window: int | None = None, seconds: float = 20.0) -> socket.socket:
    """Connect to a server. ``window``: how many unread bytes the kernel keeps."""
    parts = urlsplit(url)
    connection = socket.socket()
    connection.settimeout(seconds)
    if window is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    connection.connect((parts.hostname, parts.port))
    return connection


def head(method: str, path: str, headers: Sequence[str] = ()) -> bytes:
    """Write the head of a request."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: tracker.test", *headers, "", ""]).encode()


def read_answer(connection: socket.socket) -> Head:
    """Read the answer's head and, if its length is declared, its body."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        assert more, f"closed after {received!r}"
        received += more
    start, _, body = received.partition(b"\r\n\r\n")
    line, *fields = start.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    return Head(int(line.split(" ")[1]), headers, body)


def read_to_end(connection: socket.socket) -> bytes:
    """Read until the server closes the connection, in whatever way."""
    received = bytearray()
    try:
        while more := connection.recv(65536):
            received += more
    except ConnectionResetError:
        pass
    return bytes(received)
