"""Real clients load a block list in the form that is made for them, and then refuse the peer on it, and no other.

The kind: a list that a client reads as something else: as nothing, or as everything. That Transmission and qBittorrent
read the running tracker's own lists is tested with a real offender, in ``detection``.
"""

import http.server
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import httpx
import pytest

from etracker_admin_api.block_lists.formats import Form, format_list
from tests.support.clients import Aria2, Client, QBittorrent, Transmission
from tests.support.handshakes import answers
from tests.support.netns import TRACKER_IPV4, client_address
from tests.support.processes import free_port, wait_until
from tests.support.recordings.tracker import RecordingTracker, recording_tracker
from tests.support.torrents import info_hash_v1, make_content, make_torrent, with_announce_url

LENGTH = 1_000_000
SECONDS = 60.0
BLOCKED, OTHER, DOWNLOADER = (client_address(number, 4) for number in (2, 3, 4))

Address = IPv4Address | IPv6Address
_Load = Callable[[Client, str, Path], None]

pytestmark = [pytest.mark.full, pytest.mark.timeout(120)]


@pytest.fixture
def directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="etracker-e2e-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def _fetch(client: Client, url: str, directory: Path) -> None:
    assert isinstance(client, Transmission)
    assert client.load_block_list(url) == 1
    assert directory.exists()


def _read(client: Client, url: str, directory: Path) -> None:
    assert isinstance(client, QBittorrent)
    client.load_block_list(_download(url, directory))


def _ban(client: Client, url: str, directory: Path) -> None:
    """Ban as PeerBanHelper does, which takes every line that isn't a comment for an address."""
    assert isinstance(client, QBittorrent)
    lines = _download(url, directory).read_text().splitlines()
    client.ban([line for line in lines if not line.startswith("#")])


@pytest.mark.parametrize(
    ("kind", "form", "load"),
    [
        (Transmission, Form.P2P, _fetch),
        (Transmission, Form.DAT, _fetch),
        (QBittorrent, Form.DAT, _read),
        (QBittorrent, Form.P2P, _read),
        (QBittorrent, Form.TXT, _ban),
    ],
)
def test_a_client_refuses_the_peer_on_its_block_list_and_no_other(
    namespace: None, directory: Path, kind: type[Client], form: Form, load: _Load
) -> None:
    content = make_content(directory / "seeds" / "content.bin", LENGTH)
    torrent = make_torrent(content)
    info_hash = info_hash_v1(torrent)
    with recording_tracker() as tracker, kind(directory / kind.name, client_address(1, 4)) as reader:
        reader.add(_announced(torrent, tracker, "reader"), content.path.parent, seeding=True)
        wait_until(lambda: answers(reader, BLOCKED, info_hash), f"{reader} answers everybody at first", SECONDS)
        _load(reader, form, load, directory, [BLOCKED])
        wait_until(lambda: not answers(reader, BLOCKED, info_hash), f"{reader} refuses the peer on its list", SECONDS)
        assert answers(reader, OTHER, info_hash)
        _let_somebody_download(tracker, torrent, directory)


@pytest.mark.parametrize(("kind", "form", "load"), [(Transmission, Form.P2P, _fetch), (QBittorrent, Form.DAT, _read)])
def test_a_client_takes_a_peer_off_when_the_list_has_nobody_any_more(
    namespace: None, directory: Path, kind: type[Client], form: Form, load: _Load
) -> None:
    content = make_content(directory / "seeds" / "content.bin", LENGTH)
    torrent = make_torrent(content)
    info_hash = info_hash_v1(torrent)
    with recording_tracker() as tracker, kind(directory / kind.name, client_address(1, 4)) as reader:
        reader.add(_announced(torrent, tracker, "reader"), content.path.parent, seeding=True)
        load_list = partial(_load, reader, form, load, directory)
        load_list([BLOCKED])
        wait_until(lambda: not answers(reader, BLOCKED, info_hash), f"{reader} refuses the peer", SECONDS)
        load_list([])
        wait_until(lambda: answers(reader, BLOCKED, info_hash), f"{reader} answers the peer again", SECONDS)


def _load(client: Client, form: Form, load: _Load, directory: Path, blocked: Sequence[Address]) -> None:
    with _serving(format_list(form, blocked)) as url:
        load(client, f"{url}.{form}", directory)


def _announced(torrent: bytes, tracker: RecordingTracker, name: str) -> bytes:
    return with_announce_url(torrent, tracker.url(TRACKER_IPV4, name))


def _let_somebody_download(tracker: RecordingTracker, torrent: bytes, directory: Path) -> None:
    with Aria2(directory / "aria2", DOWNLOADER) as downloader:
        data = _announced(torrent, tracker, "downloader")
        handle = downloader.add(data, directory / "downloads", seeding=False)
        wait_until(lambda: downloader.status(handle).complete, f"{downloader} downloads", SECONDS, 0.2)


@contextmanager
def _serving(text: str) -> Iterator[str]:
    """Serve a list as the tracker does, and yield its URL without the form."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = http.server.ThreadingHTTPServer((str(TRACKER_IPV4), free_port()), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://{TRACKER_IPV4}:{server.server_port}/api/blocklist/0a1b2c"
    finally:
        server.shutdown()
        server.server_close()


def _download(url: str, directory: Path) -> Path:
    path = directory / url.rpartition("/")[2]
    path.write_bytes(httpx.get(url, trust_env=False).raise_for_status().content)
    return path
