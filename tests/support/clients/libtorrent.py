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
