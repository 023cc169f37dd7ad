"""aria2c, over its JSON-RPC."""

import base64
import signal
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

from tests.support.clients.base import Client, ClientError, Status
from tests.support.clients.control import ControlPort

_CONFIGURATION = """\
multiple-interface={addresses}
listen-port={port}
disable-ipv6={ipv4_only}
enable-dht=false
enable-dht6=false
enable-peer-exchange=false
bt-enable-lpd=false
check-integrity=true
file-allocation=none
seed-ratio=0.0
enable-rpc=true
rpc-listen-port={control_port}
console-log-level=info
enable-color=false
show-console-readout=false
"""


class Aria2(Client):
    """Shows what the tracker says in its log only; can't be made to announce at once.

    It tells no download total of its session: ``downloaded`` is what is there now and wasn't at first.
    """

    name = "aria2"
    executable = "aria2c"
    stop_signal = signal.SIGINT  # at SIGTERM it ends without sending anything to the tracker

    def __init__(self, home: Path, *addresses: IPv4Address | IPv6Address) -> None:
        self._control = ControlPort()
        self._seeding: set[str] = set()
        self._addresses = addresses
        super().__init__(home, addresses[0])

    def add(self, torrent: bytes, save_path: Path, *, seeding: bool) -> str:
        options = {"dir": str(save_path)}
        handle = str(self._call("aria2.addTorrent", base64.b64encode(torrent).decode(), [], options))
        if seeding:
            self._seeding.add(handle)
        return handle

    def pause(self, handle: str) -> None:
        self._call("aria2.pause", handle)

    def resume(self, handle: str) -> None:
        self._call("aria2.unpause", handle)

    def add_magnet(self, magnet: str, save_path: Path) -> str:
        return str(self._call("aria2.addUri", [magnet], {"dir": str(save_path)}))

    def add_first_file(self, torrent: bytes, save_path: Path) -> str:
        options = {"dir": str(save_path), "select-file": "1"}
        return str(self._call("aria2.addTorrent", base64.b64encode(torrent).decode(), [], options))

    def status(self, handle: str) -> Status:
        torrent = self._call("aria2.tellStatus", handle)
        total, completed = int(torrent["totalLength"]), int(torrent["completedLength"])
        return Status(
            progress=completed / total if total else 0.0,
            uploaded=int(torrent["uploadLength"]),
            downloaded=0 if handle in self._seeding else completed,
            message="".join(line for line in self.logs().splitlines() if "racker" in line),
        )

    @property
    def _configuration(self) -> Path:
        return self.home / "aria2.conf"

    def _command(self) -> list[str]:
        return [self.executable, f"--conf-path={self._configuration}"]

    def _configure(self) -> None:
        self._configuration.write_text(
            _CONFIGURATION.format(
                addresses=",".join(map(str, self._addresses)),
                port=self.port,
                control_port=self._control.port,
                ipv4_only="false" if any(address.version == 6 for address in self._addresses) else "true",
            )
        )

    def _ping(self) -> None:
        self._call("aria2.getVersion")

    def _call(self, method: str, *arguments: object) -> Any:
        body = {"jsonrpc": "2.0", "id": "0", "method": method, "params": arguments}
        answer = self._control.request("POST", "/jsonrpc", json=body).json()
        if "error" in answer:
            raise ClientError(f"{method}: {answer['error']}")
        return answer["result"]
