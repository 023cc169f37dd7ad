"""rtorrent, over XML-RPC in SCGI on a local socket."""

import signal
import socket
import xmlrpc.client
from pathlib import Path

from tests.support.clients.base import Client, ClientError, Status
from tests.support.processes import wait_until
from tests.support.torrents import info_hash_v1

_CONFIGURATION = """\
system.daemon.set = true
network.scgi.open_local = {socket}
network.bind_address.set = {address}
network.port_range.set = {port}-{port}
network.port_random.set = no
dht.mode.set = disable
protocol.pex.set = no
trackers.use_udp.set = no
session.path.set = {session}
log.open_file = "log", {log}
log.add_output = "info", "log"
log.add_output = "tracker_info", "log"
"""


class RTorrent(Client):
    """Reports a completed download late, and omits ``completed`` when it is told to announce immediately."""

    name = "rtorrent"
    executable = "rtorrent"
    stop_signal = signal.SIGINT

    @property
    def _configuration(self) -> Path:
        return self.home / "rtorrent.rc"

    @property
    def _socket(self) -> Path:
        return self.home / "rpc.socket"

    def add(self, torrent: bytes, save_path: Path, *, seeding: bool) -> str:
        del seeding  # it checks existing content by itself
        self._call("load.raw_start_verbose", "", xmlrpc.client.Binary(torrent), f"d.directory.set={save_path}")
        return info_hash_v1(torrent).hex().upper()

    def status(self, handle: str) -> Status:
        return Status(
            progress=self._number("d.completed_bytes", handle) / self._number("d.size_bytes", handle),
            uploaded=self._number("d.up.total", handle),
            downloaded=self._number("d.down.total", handle),
            message=str(self._call("d.message", handle)),
        )

    def announce(self, handle: str) -> None:
        self._call("d.tracker_announce", handle)

    def pause(self, handle: str) -> None:
        self._call("d.stop", handle)
        self._call("d.close", handle)

    def resume(self, handle: str) -> None:
        self._call("d.open", handle)
        self._call("d.start", handle)

    def recheck(self, handle: str) -> None:
        self._call("d.check_hash", handle)

    def add_magnet(self, magnet: str, save_path: Path) -> str:
        self._call("load.start_verbose", "", magnet, f"d.directory.set={save_path}")
        return magnet.partition("btih:")[2][:40].upper()

    def add_first_file(self, torrent: bytes, save_path: Path) -> str:
        handle = info_hash_v1(torrent).hex().upper()
        self._call("load.raw_verbose", "", xmlrpc.client.Binary(torrent), f"d.directory.set={save_path}")
        wait_until(lambda: self._number("d.size_files", handle) == 2, f"{self} lists the files")
        self._call("f.priority.set", f"{handle}:f1", 0)
        self._call("d.update_priorities", handle)
        self.resume(handle)
        return handle

    def _command(self) -> list[str]:
        return [self.executable, "-n", "-o", f"import={self._configuration}"]

    def _configure(self) -> None:
        session = self.home / "session"
        session.mkdir(exist_ok=True)
        self._socket.unlink(missing_ok=True)
        self._configuration.write_text(
            _CONFIGURATION.format(
                socket=self._socket,
                address=self.address,
                port=self.port,
                session=session,
                log=self.home / "tracker.log",
            )
        )

    def _ping(self) -> None:
        self._call("system.client_version")

    def _number(self, method: str, handle: str) -> int:
        return int(str(self._call(method, handle)))

    def _call(self, method: str, *arguments: str | int | xmlrpc.client.Binary) -> object:
        body = xmlrpc.client.dumps(arguments, method).encode()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self._socket))
            connection.sendall(_scgi_request(body))
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        try:
            (result,), _ = xmlrpc.client.loads(answer.partition(b"\r\n\r\n")[2].decode())
        except xmlrpc.client.Fault as error:
            raise ClientError(f"{method}: {error.faultString}") from error
        return result


def _scgi_request(body: bytes) -> bytes:
    headers = b"CONTENT_LENGTH\0%d\0SCGI\0001\0" % len(body)
    return b"%d:%s,%s" % (len(headers), headers, body)
