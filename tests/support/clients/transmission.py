"""transmission-daemon, over its RPC."""

import base64
import json
import time
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

from tests.support.clients.base import STOP_SECONDS, Client, ClientError, Status
from tests.support.clients.control import LOOPBACK, ControlPort
from tests.support.processes import wait_until

_SESSION_HEADER = "X-Transmission-Session-Id"
_INACTIVE = 0
CLOCK_SECONDS = 2.0
_FIELDS = ["percentDone", "uploadedEver", "downloadedEver", "errorString", "trackerStats", "status"]


class Transmission(Client):
    """Announces from the address it binds; 3.00 sends ``stopped`` for a stopped torrent but not when it quits."""

    name = "transmission"
    executable = "transmission-daemon"

    def __init__(self, home: Path, address: IPv4Address | IPv6Address) -> None:
        self._control = ControlPort()
        super().__init__(home, address)

    def add(self, torrent: bytes, save_path: Path, *, seeding: bool) -> str:
        del seeding  # it checks existing content by itself
        answer = self._call(
            "torrent-add", metainfo=base64.b64encode(torrent).decode(), **{"download-dir": str(save_path)}
        )
        return str(answer["torrent-added"]["hashString"])

    def status(self, handle: str) -> Status:
        torrent = self._torrent(handle)
        tracker = torrent["trackerStats"][0]
        return Status(
            progress=float(torrent["percentDone"]),
            uploaded=int(torrent["uploadedEver"]),
            downloaded=int(torrent["downloadedEver"]),
            message=torrent["errorString"] or tracker["lastAnnounceResult"],
        )

    def announce(self, handle: str) -> None:
        self._call("torrent-reannounce", ids=[handle])

    def replace_tracker(self, handle: str, url: str) -> None:
        """Give a torrent's only tracker another URL."""
        (tracker,) = self._torrent(handle)["trackerStats"]
        self._call("torrent-set", ids=[handle], trackerReplace=[tracker["id"], url])

    def pause(self, handle: str) -> None:
        """Stop one torrent, which it reports to the tracker."""
        self._call("torrent-stop", ids=[handle])

    def resume(self, handle: str) -> None:
        self._call("torrent-start-now", ids=[handle])

    def recheck(self, handle: str) -> None:
        self._call("torrent-verify", ids=[handle])

    def add_magnet(self, magnet: str, save_path: Path) -> str:
        answer = self._call("torrent-add", filename=magnet, **{"download-dir": str(save_path)})
        return str(answer["torrent-added"]["hashString"])

    def add_first_file(self, torrent: bytes, save_path: Path) -> str:
        answer = self._call(
            "torrent-add",
            metainfo=base64.b64encode(torrent).decode(),
            **{"download-dir": str(save_path), "files-unwanted": [1]},
        )
        return str(answer["torrent-added"]["hashString"])

    def load_block_list(self, url: str) -> int:
        """Have it fetch a block list and use it; return how many ranges it read."""
        self._call("session-set", **{"blocklist-url": url, "blocklist-enabled": True})
        return int(self._call("blocklist-update")["blocklist-size"])

    def is_content(self, handle: str) -> bool:
        """Return whether its last announce of a torrent succeeded: it won't be repeated."""
        (tracker,) = self._torrent(handle)["trackerStats"]
        return bool(tracker["announceState"] == _INACTIVE and tracker["lastAnnounceSucceeded"])

    def stop(self) -> None:
        # Its clock ticks once per second, up to a second late: only after two can a new announce be told from the last.
        before = max((int(tracker["lastAnnounceTime"]) for tracker in self._trackers()), default=0)
        wait_until(lambda: time.time() >= before + CLOCK_SECONDS, f"the clock of {self} moves on")
        self._call("torrent-stop")
        wait_until(lambda: self._said_stopped(before), f"{self} says stopped", STOP_SECONDS)
        super().stop()

    def quit(self) -> None:
        """End it with SIGTERM: it saves its state, and 3.00 sends nothing to the tracker."""
        super().stop()

    def _said_stopped(self, since: int) -> bool:
        return all(
            tracker["announceState"] == _INACTIVE and tracker["lastAnnounceTime"] > since
            for tracker in self._trackers()
        )

    def _trackers(self) -> list[dict[str, Any]]:
        torrents = self._call("torrent-get", fields=_FIELDS)["torrents"]
        return [tracker for torrent in torrents for tracker in torrent["trackerStats"]]

    def _torrent(self, handle: str) -> dict[str, Any]:
        torrent: dict[str, Any] = self._call("torrent-get", ids=[handle], fields=_FIELDS)["torrents"][0]
        return torrent

    def _command(self) -> list[str]:
        return [self.executable, "--foreground", "--config-dir", str(self.home)]

    def _configure(self) -> None:
        unbound = "0.0.0.0" if self.address.version == 6 else "::1"
        settings = {
            "bind-address-ipv4": str(self.address) if self.address.version == 4 else unbound,
            "bind-address-ipv6": str(self.address) if self.address.version == 6 else unbound,
            "peer-port": self.port,
            "rpc-port": self._control.port,
            "rpc-bind-address": str(LOOPBACK),
            "message-level": 3,
            **dict.fromkeys(("rpc-whitelist-enabled", "rpc-host-whitelist-enabled"), False),
            **dict.fromkeys(("dht-enabled", "lpd-enabled", "pex-enabled", "utp-enabled"), False),
            **dict.fromkeys(("download-queue-enabled", "seed-queue-enabled", "queue-stalled-enabled"), False),
            "port-forwarding-enabled": False,
        }
        (self.home / "settings.json").write_text(json.dumps(settings))

    def _ping(self) -> None:
        self._call("session-get", fields=["version"])

    def _call(self, method: str, **arguments: object) -> dict[str, Any]:
        body = {"method": method, "arguments": arguments}
        answer = self._control.request("POST", "/transmission/rpc", json=body)
        if answer.status_code == 409:  # a new session id: keep it and ask again
            self._control.headers[_SESSION_HEADER] = answer.headers[_SESSION_HEADER]
            answer = self._control.request("POST", "/transmission/rpc", json=body)
        result: dict[str, Any] = answer.raise_for_status().json()
        if result["result"] != "success":
            raise ClientError(f"{method}: {result['result']}")
        return dict(result["arguments"])
