"""What every client driver can do, and the process that it manages."""

import os
import shutil
import signal
import socket
from abc import ABC, abstractmethod
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import ClassVar, Self

from tests.support.processes import Program

START_SECONDS = 30.0
STOP_SECONDS = 30.0


class ClientError(Exception):
    """A client that isn't installed, doesn't answer or refused a request."""


@dataclass(frozen=True, slots=True)
class Status:
    """A client's state of one torrent.

    ``progress``: 0 to 1 of the content is there and checked. ``uploaded`` and ``downloaded``: bytes, by the
    counters the client announces. ``message``: what its user sees of the tracker.
    """

    progress: float
    uploaded: int
    downloaded: int
    message: str

    @property
    def complete(self) -> bool:
        """Whether all content has been downloaded and checked."""
        return self.progress == 1.0


class Client(ABC):
    """One client process with its own address; as a context manager it runs inside the block.

    ``home`` holds its configuration, its log and what it remembers over a restart.
    Torrents are named by the handle that :meth:`add` returns.
    """

    name: ClassVar[str]
    executable: ClassVar[str]
    """Looked for on the PATH; a Debian package brings it."""
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, home: Path, address: IPv4Address | IPv6Address) -> None:
        self.home = home
        self.address = address
        self.port = free_port(address)
        home.mkdir(parents=True)
        self._program = Program(
            self._command(),
            log=home / f"{self.name}.log",
            environment={**os.environ, "HOME": str(home), "TERM": "dumb"},
            stop_signal=self.stop_signal,
        )

    def start(self) -> None:
        """Start the client, and return when it accepts requests."""
        if shutil.which(self.executable) is None:
            raise ClientError(f"{self.executable} is not on the PATH: make install-system installs the clients")
        self._configure()
        self._program.start()
        self._program.wait_until(self._ready, f"{self} takes requests", START_SECONDS)

    @abstractmethod
    def add(self, torrent: bytes, save_path: Path, *, seeding: bool) -> str:
        """Add a torrent and start it; ``seeding``: its content is complete. Return its handle."""

    @abstractmethod
    def status(self, handle: str) -> Status:
        """Ask the client about one torrent."""

    def announce(self, handle: str) -> None:
        """Have the client announce one torrent now.

        Raises:
            ClientError: this client can't be made to.
        """
        raise ClientError(f"{self} has no way to announce {handle}")

    def pause(self, handle: str) -> None:
        """Stop one torrent, which is reported to the tracker."""
        raise ClientError(f"{self} has no way to pause {handle}")

    def resume(self, handle: str) -> None:
        """Start a torrent again that was paused."""
        raise ClientError(f"{self} has no way to resume {handle}")

    def recheck(self, handle: str) -> None:
        """Have the client verify one torrent's content."""
        raise ClientError(f"{self} has no way to verify {handle}")

    def add_magnet(self, magnet: str, save_path: Path) -> str:
        """Add a torrent by its magnet link, start it, and return its handle."""
        raise ClientError(f"{self} has no way to add {magnet} to {save_path}")

    def add_first_file(self, torrent: bytes, save_path: Path) -> str:
        """Add a torrent of two files, download only the first of them, and return its handle."""
        raise ClientError(f"{self} has no way to select files in {save_path} of {len(torrent)} bytes")

    def stop(self) -> None:
        """End the client as its user would: it sends ``stopped`` to the tracker for every torrent."""
        self._program.stop(STOP_SECONDS)

    def kill(self) -> None:
        """End the client with SIGKILL: it sends nothing to anybody."""
        self._program.kill()

    @property
    def running(self) -> bool:
        """Whether the process is running."""
        return self._program.running

    def logs(self) -> str:
        """Return everything that the client wrote to its output and to its own log files."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.home.rglob("*.log")))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.kill()

    def __repr__(self) -> str:
        return f"{self.name} at {self.address}"

    @abstractmethod
    def _command(self) -> list[str]:
        """Return the command that starts the client."""

    @abstractmethod
    def _configure(self) -> None:
        """Write what the client reads at start."""

    @abstractmethod
    def _ping(self) -> None:
        """Send a harmless request; raise OSError or ClientError while the client isn't ready."""

    def _ready(self) -> bool:
        try:
            self._ping()
        except (OSError, ClientError):
            return False
        return True


def free_port(address: IPv4Address | IPv6Address) -> int:
    """Return a TCP port that nothing listens on at the address."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family) as probe:
        probe.bind((str(address), 0))
        port: int = probe.getsockname()[1]
        return port
