"""A libtorrent session without a user interface: one request per connection on a local socket.

    python -P libtorrent_program.py SOCKET INTERFACE ...

``INTERFACE`` is ``address:port``; with several the session listens on all of them. A request is the name
of a method of :class:`Session` and its arguments. Alerts go to standard output. SIGTERM ends it.
"""

import signal
import sys
import threading
from multiprocessing.connection import Listener
from typing import Any

import libtorrent

_OFF = ("enable_dht", "enable_lsd", "enable_upnp", "enable_natpmp", "enable_incoming_utp", "enable_outgoing_utp")
_ALERTS = (
    libtorrent.alert.category_t.error_notification
    | libtorrent.alert.category_t.status_notification
    | libtorrent.alert.category_t.tracker_notification
    | libtorrent.alert.category_t.torrent_log_notification
)
_CHECKING = (
    libtorrent.torrent_status.states.checking_files,
    libtorrent.torrent_status.states.checking_resume_data,
)


class Session:
    """The session and its torrents; a torrent's handle is its number."""

    def __init__(self, interfaces: list[str]) -> None:
        addresses = [interface.rpartition(":")[0].strip("[]") for interface in interfaces]
        settings: Any = {
            **dict.fromkeys(_OFF, False),
            "listen_interfaces": ",".join(interfaces),
            "outgoing_interfaces": ",".join(addresses),
            "allow_multiple_connections_per_ip": True,
            "alert_mask": _ALERTS,
        }
        self._session = libtorrent.session(settings)
        self._torrents: list[libtorrent.torrent_handle] = []
        self._ending = threading.Event()
        self._logging = threading.Thread(target=self._log_alerts)
        self._logging.start()

    def ping(self) -> None:
        """Do nothing."""

    def add(self, torrent: bytes, save_path: str, seeding: bool, wanted_share: float = 1.0) -> str:
        """Add a torrent, and of its pieces only the first share."""
        parameters = libtorrent.load_torrent_buffer(torrent)
        parameters.save_path = save_path
        if wanted_share < 1:  # with any priorities set, a session doesn't seed in seed_mode
            pieces = parameters.ti.num_pieces() if parameters.ti else 0
            wanted = round(wanted_share * pieces)
            parameters.piece_priorities = [1] * wanted + [0] * (pieces - wanted)
        parameters.flags = libtorrent.torrent_flags.disable_pex
        if seeding:
            parameters.flags |= libtorrent.torrent_flags.seed_mode
        self._torrents.append(self._session.add_torrent(parameters))
        return str(len(self._torrents) - 1)

    def status(self, handle: str) -> dict[str, Any]:
        """Return a torrent's state; ``message``: the first one in an answer to an announce from any address."""
        torrent = self._torrents[int(handle)]
        status = torrent.status()
        return {
            "progress": _progress(status),
            "uploaded": status.total_payload_upload,
            "downloaded": status.total_payload_download,
            "message": next(filter(None, _messages(torrent)), ""),
        }

    def announce(self, handle: str) -> None:
        """Announce a torrent now."""
        self._torrents[int(handle)].force_reannounce(0, -1, libtorrent.torrent_handle.ignore_min_interval)

    def add_magnet(self, magnet: str, save_path: str) -> str:
        """Add a torrent of which only the infohash and trackers are known."""
        parameters = libtorrent.parse_magnet_uri(magnet)
        parameters.save_path = save_path
        parameters.flags = libtorrent.torrent_flags.disable_pex
        self._torrents.append(self._session.add_torrent(parameters))
        return str(len(self._torrents) - 1)

    def add_first_file(self, torrent: bytes, save_path: str) -> str:
        """Add a torrent of two files, and download only the first."""
        parameters = libtorrent.load_torrent_buffer(torrent)
        parameters.save_path = save_path
        parameters.file_priorities = [4, 0]
        parameters.flags = libtorrent.torrent_flags.disable_pex
        self._torrents.append(self._session.add_torrent(parameters))
        return str(len(self._torrents) - 1)

    def pause(self, handle: str) -> None:
        """Stop a torrent."""
        self._torrents[int(handle)].pause()

    def resume(self, handle: str) -> None:
        """Start a torrent again."""
        self._torrents[int(handle)].resume()

    def recheck(self, handle: str) -> None:
        """Verify a torrent's content."""
        self._torrents[int(handle)].force_recheck()

    def remove(self, handle: str) -> None:
        """Remove a torrent, but not its content."""
        self._session.remove_torrent(self._torrents[int(handle)])

    def configure(self, settings: Any) -> None:
        """Change settings."""
        self._session.apply_settings(settings)

    def limit(self, handle: str, download: int, upload: int) -> None:
        """Limit a torrent's rates, in bytes per second; 0 is no limit."""
        self._torrents[int(handle)].set_download_limit(download)
        self._torrents[int(handle)].set_upload_limit(upload)

    def connect(self, handle: str, address: str, port: int) -> None:
        """Connect to a peer."""
        self._torrents[int(handle)].connect_peer((address, port))

    def wasted(self, handle: str) -> int:
        """Return the bytes that failed verification, and that arrived twice."""
        status = self._torrents[int(handle)].status()
        return status.total_failed_bytes + status.total_redundant_bytes

    def replace_tracker(self, handle: str, url: str) -> None:
        """Announce a torrent to another tracker instead."""
        self._torrents[int(handle)].replace_trackers([libtorrent.announce_entry(url)])

    def end(self) -> None:
        """Delete the session, which sends ``stopped`` for every torrent and waits for the answers."""
        self._ending.set()
        self._logging.join()
        self._torrents.clear()
        del self._session

    def _log_alerts(self) -> None:
        while not self._ending.is_set():
            self._session.wait_for_alert(100)
            for alert in self._session.pop_alerts():
                sys.stdout.write(f"{alert.what()}: {alert.message()}\n")


def _progress(status: libtorrent.torrent_status) -> float:
    if status.state in _CHECKING:
        return 0.0  # its own progress is that of the check
    return 1.0 if status.is_seeding else float(status.progress)


def _messages(torrent: libtorrent.torrent_handle) -> list[str]:
    return [
        version["message"]
        for tracker in torrent.trackers()
        for endpoint in tracker["endpoints"]
        for version in endpoint["info_hashes"]
    ]


def main() -> None:
    """Answer requests until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    session = Session(sys.argv[2:])
    try:
        with Listener(sys.argv[1]) as listener:
            while True:
                with listener.accept() as connection:
                    method, arguments = connection.recv()
                    connection.send(getattr(session, method)(*arguments))
    finally:
        session.end()


if __name__ == "__main__":
    main()
