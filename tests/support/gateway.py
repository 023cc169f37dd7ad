"""The gateway alone, with stand-ins for the services."""

import contextlib
import json
import os
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol, Self

from etracker_stack.programs import caddy_program
from etracker_stack.services import GATEWAY_FILES
from tests.support.processes import Program, free_port


class Listening(Protocol):
    """A service that the gateway can ask."""

    @property
    def port(self) -> int: ...


class Echo:
    """A service that answers with the request that it received, as JSON; it may be stopped and started again.

    While ``answering`` isn't set it takes its time. ``broken_off`` counts the requests that it didn't answer.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = free_port()
        self.answering = threading.Event()
        self.answering.set()
        self.broken_off = 0
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen and answer."""
        self._server = _EchoServer(("127.0.0.1", self.port), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _EchoServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    block_on_close = False


def _handler(echo: Echo) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"  # one connection per request: stopping the server leaves none open

        def do_GET(self) -> None:
            echo.answering.wait(10)
            headers = {header.lower(): value for header, value in self.headers.items()}
            body = json.dumps({"service": echo.name, "path": self.path, "headers": headers}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            """Send the head of a GET."""
            self.do_GET()

        def do_PUT(self) -> None:
            """Answer before the body has arrived."""
            self.do_GET()

        def do_DELETE(self) -> None:
            """Do as with the others."""
            self.do_GET()

        def do_POST(self) -> None:
            """Close the connection without an answer; a gateway mustn't repeat such a request."""
            echo.broken_off += 1
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    return Handler


FRONTEND_PAGE = "<!doctype html><title>the frontend</title>"


def _frontend(directory: Path) -> Path:
    """Create files like those of a built frontend."""
    (directory / "assets").mkdir(parents=True)
    (directory / "index.html").write_text(FRONTEND_PAGE)
    (directory / "favicon.svg").write_text("<svg/>")
    (directory / "assets" / "index-1a2b3c.js").write_text("export {};\n" * 1000)
    (directory / ".vite").mkdir()
    (directory / ".vite" / "manifest.json").write_text("{}")
    return directory


class Gateway:
    """Caddy with our configuration in front of services on given ports."""

    def __init__(
        self, directory: Path, announce: Sequence[Listening], admin_api: Echo, variables: Mapping[str, str]
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._directory = directory
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "ETRACKER_BACKEND_PORT": str(self.port),
            "ETRACKER_LISTEN_HOST": "127.0.0.1",
            "ETRACKER_GATEWAY_UPSTREAMS": "static",
            "ETRACKER_GATEWAY_ANNOUNCE": " ".join(f"127.0.0.1:{service.port}" for service in announce),
            "ETRACKER_GATEWAY_ADMIN_API": f"127.0.0.1:{admin_api.port}",
            "ETRACKER_GATEWAY_FRONTEND": str(_frontend(directory / "frontend")),
            "ETRACKER_GATEWAY_SOCKET": str(directory / "socket"),
            **variables,
        }
        script = GATEWAY_FILES / "gateway.sh"
        self.program = Program(
            ["/bin/sh", script, caddy_program(), GATEWAY_FILES / "Caddyfile"],
            log=directory / "log",
            environment=self.environment,
        )

    def ask(self, request: bytes) -> bytes:
        """Send raw bytes and return everything received until the gateway closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def provoke(self, request: bytes) -> bytes:
        """Send what may break the connection, and return what came before it broke."""
        with contextlib.suppress(ConnectionError):
            return self.ask(request)
        return b""

    def listens(self) -> bool:
        """Return whether it accepts connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def running_gateway(announce: Sequence[Listening], admin_api: Echo, **variables: str) -> Iterator[Gateway]:
    """Run the gateway until the block ends. ``variables``: more of its environment."""
    with tempfile.TemporaryDirectory(prefix="etracker-gateway-") as directory:
        gateway = Gateway(Path(directory), announce, admin_api, variables)
        with gateway.program:
            gateway.program.wait_until(gateway.listens, "the gateway listens")
            yield gateway
