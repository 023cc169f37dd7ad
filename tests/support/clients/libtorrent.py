"""libtorrent's Python binding as a client in a separate process."""

import sys
from ipaddress import IPv4Address, IPv6Address
from multiprocessing import connection
from pathlib import Path
from typing import Any

from tests.support.clients.base import Client, Status, free_port

_PROGRAM = Path(__file__).with_name("libtorrent_program.py")


class Libtorrent(Client):
    """A session that may listen on several addresses; shows a tracker's message until the next announce."""

    name = "libtorrent"
    executable = sys.executable

    def __init__(self, home: Path, *addresses: IPv4Address | IPv6Address) -> None:
        self._interfaces = [_interface(address) for address in addresses]
        super().__init__(home, addresses[0])

    def add(self, torrent: bytes, save_path: Path, *, seeding: bool) -> str:
        return str(self._call("add", torrent, str(save_path), seeding))

    def add_part(self, torrent: bytes, save_path: Path, share: float) -> str:
        """Add a torrent, and download only a share of its pieces."""
        return str(self._call("add", torrent, str(save_path), False, share))

    def status(self, handle: str) -> Status:
        return Status(**self._call("status", handle))

    def announce(self, handle: str) -> None:
        self._call("announce", handle)

    def pause(self, handle: str) -> None:
        self._call("pause", handle)

    def resume(self, handle: str) -> None:
        self._call("resume", handle)

    def recheck(self, handle: str) -> None:
        self._call("recheck", handle)

    def add_magnet(self, magnet: str, save_path: Path) -> str:
        return str(self._call("add_magnet", magnet, str(save_path)))

    def add_first_file(self, torrent: bytes, save_path: Path) -> str:
        return str(self._call("add_first_file", torrent, str(save_path)))

    def remove(self, handle: str) -> None:
        """Remove a torrent, but not its content."""
        self._call("remove", handle)

    def configure(self, **settings: object) -> None:
        """Change the session's settings, by libtorrent's names."""
        self._call("configure", settings)

    def limit(self, handle: str, download: int, upload: int) -> None:
        """Limit one torrent's rates, in bytes per second; 0 is no limit."""
        self._call("limit", handle, download, upload)

    def connect(self, handle: str, address: IPv4Address | IPv6Address, port: int) -> None:
        """Connect to a peer that no tracker named."""
        self._call("connect", handle, str(address), port)

    def wasted(self, handle: str) -> int:
        """Return the bytes that failed verification, and that arrived twice."""
        return int(self._call("wasted", handle))

    def replace_tracker(self, handle: str, url: str) -> None:
        """Give a torrent another tracker."""
        self._call("replace_tracker", handle, url)

    @property
    def _socket(self) -> Path:
        return self.home / "requests.socket"

    def _command(self) -> list[str]:
        return [self.executable, "-P", "-u", str(_PROGRAM), str(self._socket), *self._interfaces]

    def _configure(self) -> None:
        self._socket.unlink(missing_ok=True)

    def _ping(self) -> None:
        self._call("ping")

    def _call(self, method: str, *arguments: object) -> Any:
        with connection.Client(str(self._socket)) as program:
            program.send((method, arguments))
            return program.recv()


def _interface(address: IPv4Address | IPv6Address) -> str:
    port = free_port(address)
    return f"{address}:{port}" if address.version == 4 else f"[{address}]:{port}"
