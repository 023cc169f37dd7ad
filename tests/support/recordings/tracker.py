"""A small tracker that records every announce in the form that ``etracker_scoring.replay`` reads.

It has no limits and no interval to speak of, so that a client's life passes in a minute; :mod:`.stretching` gives the
recording its real length.
"""

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fastbencode import bencode

from tests.support.processes import free_port

INTERVAL_SECONDS = 2
"""What the tracker asks for. Transmission and aria2 obey, clients of libtorrent and rtorrent wait at least 300 s."""

_NUMBERS = ("uploaded", "downloaded", "left", "corrupt", "redundant", "numwant")

Line = dict[str, Any]
_Peers = dict[bytes, tuple[str, int, int]]


def key_of(name: str) -> str:
    """Return the announce key of a person in a recording."""
    return hashlib.sha256(name.encode()).hexdigest()[:30]


class RecordingTracker:
    """``lines``: what was announced. ``leechers_shown``: the count in every answer, None for the true one."""

    def __init__(self) -> None:
        self.port = free_port()
        self.lines: list[Line] = []
        self.leechers_shown: int | None = None
        self._swarms: dict[str, _Peers] = {}
        self._lock = threading.Lock()

    def url(self, host: object, name: str) -> str:
        """Return the announce URL of a person."""
        return f"http://{host}:{self.port}/{key_of(name)}/announce"

    def of(self, name: str) -> list[Line]:
        """Return the announces of a person."""
        return [line for line in self.lines if line["key"] == key_of(name)]

    def answer(self, path: str, source: str, user_agent: str | None) -> bytes:
        """Record an announce and return the answer."""
        address, query = urlsplit(path).path, urlsplit(path).query
        sent = dict(parse_qsl(query, keep_blank_values=True, encoding="latin-1"))
        line = _line(address.split("/")[1], source, sent, user_agent)
        with self._lock:
            self.lines.append(line)
            peers = self._swarms.setdefault(line["info_hash"], {})
            _enter(peers, line)
            return self._encode(peers, line)

    def _encode(self, peers: _Peers, line: Line) -> bytes:
        others = [(ip, port) for name, (ip, port, _) in peers.items() if name != _name(line)]
        seeders = sum(left == 0 for _, _, left in peers.values())
        leechers = len(peers) - seeders if self.leechers_shown is None else self.leechers_shown
        encoded: bytes = bencode(
            {
                b"complete": seeders,
                b"incomplete": leechers,
                b"interval": INTERVAL_SECONDS,
                b"peers": _compact(others, 4),
                b"peers6": _compact(others, 6),
            }
        )
        return encoded


@contextmanager
def recording_tracker() -> Iterator[RecordingTracker]:
    """Run a recording tracker on every address, IPv4 and IPv6."""
    tracker = RecordingTracker()
    server = _Server(("::", tracker.port), _handler(tracker))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield tracker
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def _handler(tracker: RecordingTracker) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = ip_address(self.client_address[0])
            source = str(getattr(address, "ipv4_mapped", None) or address)
            known = urlsplit(self.path).path.endswith("/announce")
            body = tracker.answer(self.path, source, self.headers["User-Agent"]) if known else b"de"
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing: the announces are recorded."""

    return Handler


def _line(key: str, source: str, sent: dict[str, str], user_agent: str | None) -> Line:
    numbers = {name: int(sent[name]) for name in _NUMBERS if name in sent}
    line = {
        "time": round(time.time(), 3),
        "key": key,
        "ip": source,
        "port": int(sent["port"]),
        "info_hash": sent["info_hash"].encode("latin-1").hex(),
        "peer_id": sent["peer_id"].encode("latin-1").hex(),
        **numbers,
        "user_agent": user_agent,
    }
    return {**line, "event": sent["event"]} if sent.get("event") else line


def _name(line: Line) -> bytes:
    return bytes.fromhex(line["peer_id"]) + bytes([":" in line["ip"]])


def _enter(peers: _Peers, line: Line) -> None:
    if line.get("event") == "stopped":
        peers.pop(_name(line), None)
    else:
        peers[_name(line)] = line["ip"], line["port"], line["left"]


def _compact(peers: list[tuple[str, int]], version: int) -> bytes:
    packed = [(ip_address(ip), port) for ip, port in peers]
    return b"".join(ip.packed + port.to_bytes(2, "big") for ip, port in packed if ip.version == version)
