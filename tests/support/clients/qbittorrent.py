"""qbittorrent-nox, over its Web API."""

import json
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

from tests.support.clients.base import Client, ClientError, Status
from tests.support.clients.control import LOOPBACK, ControlPort
from tests.support.processes import wait_until
from tests.support.torrents import info_hash_v1, info_hash_v2

_CONFIGURATION = """\
[LegalNotice]
Accepted=true
[BitTorrent]
Session\\BTProtocol=TCP
Session\\DHTEnabled=false
Session\\LSDEnabled=false
Session\\PeXEnabled=false
Session\\QueueingSystemEnabled=false
Session\\MultiConnectionsPerIp=true
Session\\InterfaceAddress={address}
Session\\Port={port}
[Network]
PortForwardingEnabled=false
[Preferences]
WebUI\\Address={control_address}
WebUI\\Port={control_port}
WebUI\\LocalHostAuth=false
"""

_V2_MARK = b"12:meta versioni2e"
_FILTER_LOADED = "Successfully parsed the IP filter file"


class QBittorrent(Client):
    """Sends ``stopped`` when it is shut down."""

    name = "qbittorrent"
    executable = "qbittorrent-nox"

    def __init__(self, home: Path, address: IPv4Address | IPv6Address) -> None:
        self._control = ControlPort()
        super().__init__(home, address)

    def add(self, torrent: bytes, save_path: Path, *, seeding: bool) -> str:
        handle = _handle_of(torrent)
        self._call(
            "torrents/add",
            data={"savepath": str(save_path), "skip_checking": str(seeding).lower()},
            files={"torrents": ("a.torrent", torrent)},
        )
        wait_until(lambda: bool(self._torrents(handle)), f"{self} lists the torrent")
        return handle

    def status(self, handle: str) -> Status:
        torrent = self._torrents(handle)[0]
        trackers = self._call("torrents/trackers", params={"hash": handle}).json()
        messages = [tracker["msg"] for tracker in trackers if tracker["url"].startswith("http")]
        return Status(
            progress=float(torrent["progress"]),
            uploaded=int(torrent["uploaded_session"]),
            downloaded=int(torrent["downloaded_session"]),
            message=messages[0],
        )

    def announce(self, handle: str) -> None:
        self._call("torrents/reannounce", data={"hashes": handle})

    def pause(self, handle: str) -> None:
        self._call("torrents/pause", data={"hashes": handle})

    def resume(self, handle: str) -> None:
        self._call("torrents/resume", data={"hashes": handle})

    def recheck(self, handle: str) -> None:
        self._call("torrents/recheck", data={"hashes": handle})

    def add_magnet(self, magnet: str, save_path: Path) -> str:
        self._call("torrents/add", data={"urls": magnet, "savepath": str(save_path)})
        handle = magnet.partition("btih:")[2][:40]
        wait_until(lambda: bool(self._torrents(handle)), f"{self} lists the torrent")
        return handle

    def add_first_file(self, torrent: bytes, save_path: Path) -> str:
        handle = info_hash_v1(torrent).hex()
        self._call(
            "torrents/add",
            data={"savepath": str(save_path), "paused": "true"},
            files={"torrents": ("a.torrent", torrent)},
        )
        wait_until(lambda: bool(self._torrents(handle)), f"{self} lists the torrent")
        self._call("torrents/filePrio", data={"hash": handle, "id": "1", "priority": "0"})
        self.resume(handle)
        return handle

    def load_block_list(self, path: Path) -> None:
        """Have it use a block list; how it reads the file depends on the name's ending."""
        before = self.logs().count(_FILTER_LOADED)
        self._set(ip_filter_enabled=False)  # it reads a file of the same name only when the filter is switched on
        self._set(ip_filter_enabled=True, ip_filter_path=str(path))
        wait_until(lambda: self.logs().count(_FILTER_LOADED) > before, f"{self} has read {path.name}")

    def ban(self, addresses: Sequence[str]) -> None:
        """Ban addresses, as a program that watches its peers does."""
        self._set(banned_IPs="\n".join(addresses))

    def _set(self, **preferences: object) -> None:
        self._call("app/setPreferences", data={"json": json.dumps(preferences)})

    def _torrents(self, handle: str) -> list[dict[str, Any]]:
        torrents: list[dict[str, Any]] = self._call("torrents/info", params={"hashes": handle}).json()
        return torrents

    def _command(self) -> list[str]:
        return [self.executable, f"--profile={self.home}"]

    def _configure(self) -> None:
        configuration = self.home / "qBittorrent" / "config" / "qBittorrent.conf"
        configuration.parent.mkdir(parents=True, exist_ok=True)
        configuration.write_text(
            _CONFIGURATION.format(
                address=self.address, port=self.port, control_address=LOOPBACK, control_port=self._control.port
            )
        )

    def _ping(self) -> None:
        self._call("app/version")

    def _call(self, path: str, **arguments: Any) -> Any:
        method = "POST" if "data" in arguments else "GET"
        answer = self._control.request(method, f"/api/v2/{path}", **arguments)
        if answer.is_error or answer.text == "Fails.":
            raise ClientError(f"{path}: {answer.status_code} {answer.text}")
        return answer


def _handle_of(torrent: bytes) -> str:
    """Return the hash by which it names a torrent: the newest that the torrent has, cut to 20 bytes."""
    return (info_hash_v2(torrent)[:20] if _V2_MARK in torrent else info_hash_v1(torrent)).hex()
