"""deluged, over its daemon protocol."""

import base64
import json
import socket
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

from deluge_client import DelugeRPCClient
from deluge_client.client import DelugeClientException

from tests.support.clients.base import Client, ClientError, Status, free_port
from tests.support.clients.control import LOOPBACK

_PASSWORD = "of this test only"
_FIELDS = ["progress", "total_payload_upload", "total_payload_download", "tracker_status"]


class Deluge(Client):
    """Never shows a ``warning message``; sends ``stopped`` when it is shut down."""

    name = "deluge"
    executable = "deluged"

    def __init__(self, home: Path, address: IPv4Address | IPv6Address) -> None:
        self._control_port = free_port(LOOPBACK)
        super().__init__(home, address)

    def add(self, torrent: bytes, save_path: Path, *, seeding: bool) -> str:
        options = {"download_location": str(save_path), "seed_mode": seeding}
        return str(self._call("core.add_torrent_file", "a.torrent", base64.b64encode(torrent), options))

    def status(self, handle: str) -> Status:
        torrent = self._call("core.get_torrent_status", handle, _FIELDS)
        return Status(
            progress=float(torrent["progress"]) / 100,
            uploaded=int(torrent["total_payload_upload"]),
            downloaded=int(torrent["total_payload_download"]),
            message=str(torrent["tracker_status"]),
        )

    def pause(self, handle: str) -> None:
        self._call("core.pause_torrent", handle)

    def resume(self, handle: str) -> None:
        self._call("core.resume_torrent", handle)

    def recheck(self, handle: str) -> None:
        self._call("core.force_recheck", [handle])

    def add_magnet(self, magnet: str, save_path: Path) -> str:
        return str(self._call("core.add_torrent_magnet", magnet, {"download_location": str(save_path)}))

    def add_first_file(self, torrent: bytes, save_path: Path) -> str:
        options = {"download_location": str(save_path), "file_priorities": [4, 0]}
        return str(self._call("core.add_torrent_file", "a.torrent", base64.b64encode(torrent), options))

    def announce(self, handle: str) -> None:
        self._call("core.force_reannounce", [handle])

    def _command(self) -> list[str]:
        control = ["--ui-interface", str(LOOPBACK), "--port", str(self._control_port)]
        return [self.executable, "--do-not-daemonize", "--config", str(self.home), "--loglevel", "info", *control]

    def _configure(self) -> None:
        settings = {
            "listen_ports": [self.port, self.port],
            "listen_interface": str(self.address),
            "outgoing_interface": str(self.address),
            **dict.fromkeys(("dht", "lsd", "utpex", "upnp", "natpmp", "random_port", "new_release_check"), False),
            **dict.fromkeys(("max_active_downloading", "max_active_seeding", "max_active_limit"), -1),
            "add_paused": False,
        }
        (self.home / "core.conf").write_text('{"file":1,"format":1}' + json.dumps(settings))
        (self.home / "auth").write_text(f"localclient:{_PASSWORD}:10\n")

    def _ping(self) -> None:
        socket.create_connection((str(LOOPBACK), self._control_port)).close()  # a refused DelugeRPCClient stays open
        self._call("daemon.info")

    def _call(self, method: str, *arguments: object) -> Any:
        rpc = DelugeRPCClient(str(LOOPBACK), self._control_port, "localclient", _PASSWORD, decode_utf8=True)
        rpc.deluge_version, rpc.deluge_protocol_version = 2, 1  # found out, it fills the daemon's log with errors
        try:
            with rpc:
                return rpc.call(method, *arguments)
        except DelugeClientException as error:
            raise ClientError(f"{method}: {error}") from error
