"""A proxy in front of the gateway that remembers every announce and its answer, for real clients.

It asks the gateway from the client's own address, so that the tracker sees the client where it is.
"""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fastbencode import bdecode

from tests.support.processes import free_port, wait_until

SECONDS = 30.0
_COMPACT = {4: 6, 6: 18}


@dataclass(frozen=True, slots=True)
class Announce:
    """``at``: Unix time of the answer. ``path``: without the query."""

    at: float
    source: IPv4Address | IPv6Address
    path: str
    parameters: dict[str, bytes]
    answer: dict[bytes, Any]

    @property
    def event(self) -> str:
        return self.parameters.get("event", b"").decode()

    @property
    def peer_id(self) -> bytes:
        return self.parameters["peer_id"]

    @property
    def own_endpoint(self) -> tuple[str, int]:
        return str(self.source), int(self.parameters["port"])

    @property
    def endpoints(self) -> list[tuple[str, int]]:
        """The endpoints in the answer, of both families."""
        return [*split(self.answer.get(b"peers", b""), 4), *split(self.answer.get(b"peers6", b""), 6)]


def split(compact: bytes, version: int) -> list[tuple[str, int]]:
    """Return the addresses and ports of a compact list."""
    size = _COMPACT[version]
    peers = [compact[start : start + size] for start in range(0, len(compact), size)]
    return [(str(ip_address(peer[:-2])), int.from_bytes(peer[-2:], "big")) for peer in peers]


@dataclass
class Recorder:
    """Listens on every address of the namespace, at ``port``."""

    gateway_port: int
    port: int = field(default_factory=free_port)
    announces: list[Announce] = field(default_factory=list)

    def url(self, host: object, key: str | None) -> str:
        """Return the announce URL of a key or of guests, by the tracker's address or name."""
        return f"http://{host}:{self.port}/{f'{key}/' if key else ''}announce"

    def with_event(self, event: str) -> list[Announce]:
        return [announce for announce in self.announces if announce.event == event]

    def to(self, key: str) -> list[Announce]:
        return [announce for announce in self.announces if announce.path == f"/{key}/announce"]

    def wait_for(self, number: int, event: str) -> Announce:
        """Wait until there are ``number`` announces with an event, and return the last of them."""
        wait_until(lambda: len(self.with_event(event)) >= number, f"{number} announces {event!r}", SECONDS)
        return self.with_event(event)[number - 1]


@contextmanager
def recording(gateway_port: int) -> Iterator[Recorder]:
    """Record until the block ends."""
    recorder = Recorder(gateway_port)
    server = _Server(("::", recorder.port), _handler(recorder))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def _handler(recorder: Recorder) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            source, tracker = (_address(name) for name in (self.client_address, self.connection.getsockname()))
            status, answer = self._forward(source, tracker)
            path = urlsplit(self.path)
            if path.path.endswith("/announce"):
                parameters = dict(parse_qsl(path.query, keep_blank_values=True, encoding="latin-1"))
                encoded = {name: value.encode("latin-1") for name, value in parameters.items()}
                recorder.announces.append(Announce(time.time(), source, path.path, encoded, bdecode(answer)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _forward(self, source: IPv4Address | IPv6Address, tracker: IPv4Address | IPv6Address) -> tuple[int, bytes]:
            gateway = http.client.HTTPConnection(
                str(tracker), recorder.gateway_port, timeout=SECONDS, source_address=(str(source), 0)
            )
            try:
                gateway.request("GET", self.path, headers={"User-Agent": self.headers["User-Agent"] or "none"})
                answer = gateway.getresponse()
                return answer.status, answer.read()
            finally:
                gateway.close()

        def log_message(self, *_: object) -> None:
            """Log nothing: the announces are remembered."""

    return Handler


def _address(name: tuple[Any, ...]) -> IPv4Address | IPv6Address:
    address = ip_address(name[0])
    return getattr(address, "ipv4_mapped", None) or address
