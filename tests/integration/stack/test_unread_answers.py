"""Answers that nobody reads, through the gateway and on the admin API's own port.

The kind: a client that requests something large and doesn't read it. It takes a bounded amount of memory, no connection
to Postgres and nothing that others wait for, and is disconnected in the end.
"""

import secrets
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import psutil
import pytest
from fastbencode import bdecode, bencode

from tests.support.processes import wait_until
from tests.support.raw_http import SMALL_WINDOW, connect, head, read_to_end
from tests.support.stack import StackRun, running_stack
from tests.support.tracker import Tracker

MIB = 1024 * 1024
CLIENTS = 150
WRITE_TIMEOUT_SECONDS = 3
LISTED = 5000
PIECE_LENGTH = 32 * 1024
PIECES = 820_000
HASHES_BYTES = 20 * PIECES


def large_torrent() -> bytes:
    info = {
        b"length": PIECES * PIECE_LENGTH,
        b"name": b"large",
        b"piece length": PIECE_LENGTH,
        b"pieces": secrets.token_bytes(HASHES_BYTES),
        b"private": 1,
    }
    encoded: bytes = bencode({b"comment": b"large", b"info": info})
    return encoded


@pytest.fixture(scope="module")
def stack() -> Iterator[StackRun]:
    """A tracker without a limit on downloads per key, so that only the sending is tested."""
    environment = {
        "ETRACKER_DOWNLOADS_AT_ONCE": "1000",
        "ETRACKER_DOWNLOAD_LIMIT": "10000/minute",
        "ETRACKER_WRITE_TIMEOUT_SECONDS": str(WRITE_TIMEOUT_SECONDS),
    }
    with running_stack(environment) as run:
        yield run


def upload(stack: StackRun, data: bytes) -> str:
    headers = {"Authorization": stack.api_key}
    files = {"file": ("a.torrent", data)}
    url = f"{stack.url_of('admin_api')}/api/torrentfile"
    answer = httpx.post(url, files=files, headers=headers, timeout=60, trust_env=False)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["info_hash_v1"])


@pytest.fixture(scope="module")
def path(stack: StackRun) -> str:
    """The path of a download of 16.4 MB."""
    return download_path(stack)


def download_path(stack: StackRun) -> str:
    key = httpx.get(f"{stack.url_of('admin_api')}/api/generate", trust_env=False).json()["announce_key"]
    return f"/api/torrentfile?announce_key={key}&info_hash={upload(stack, large_torrent())}"


def stored(stack: StackRun, path: str) -> bytes:
    rows = Tracker(0, 0, "", stack.postgres_settings()).query(
        "SELECT file FROM infohashes WHERE info_hash = $1", bytes.fromhex(path[-40:])
    )
    return bytes(rows[0]["file"])


def expected_download(stack: StackRun, path: str, host: str = "127.0.0.1") -> bytes:
    port = stack.announce_address.rpartition(":")[2]
    key = path.partition("announce_key=")[2].partition("&")[0]
    torrent = bdecode(stored(stack, path))
    encoded: bytes = bencode({**torrent, b"announce": f"http://{host}:{port}/{key}/announce".encode()})
    return encoded


def ask(url: str, path: str) -> socket.socket:
    connection = connect(url, window=SMALL_WINDOW)
    connection.sendall(head("GET", path))
    return connection


def admin_api(stack: StackRun) -> psutil.Process:
    return psutil.Process(stack.pids()["admin_api"])


@pytest.mark.parametrize("door", ["gateway", "admin_api"])
def test_150_clients_that_never_read_take_little_memory_and_nothing_else(stack: StackRun, path: str, door: str) -> None:
    url = stack.base_url if door == "gateway" else stack.url_of(door)
    process, before = admin_api(stack), admin_api(stack).memory_info().rss
    with ExitStack() as clients:
        for _ in range(CLIENTS):
            clients.enter_context(ask(url, path))
        most, stop, seconds = before, time.monotonic() + WRITE_TIMEOUT_SECONDS, []
        while time.monotonic() < stop:
            start = time.monotonic()
            assert httpx.get(f"{url}/api/stats", trust_env=False).status_code == 200
            seconds.append(time.monotonic() - start)
            most = max(most, process.memory_info().rss)
        upload(stack, bencode({b"info": small_info()}))
        most = max(most, process.memory_info().rss)
        sys.stderr.write(f"\n{door}: {(most - before) // MIB} MiB more; statistics: max {max(seconds):.3f} s\n")
    assert most - before < 150 * MIB


def small_info() -> dict[bytes, object]:
    return {
        b"length": 5,
        b"name": secrets.token_hex(4).encode(),
        b"piece length": PIECE_LENGTH,
        b"pieces": secrets.token_bytes(20),
        b"private": 1,
    }


def is_connected(stack: StackRun, client: socket.socket) -> bool:
    """Return whether the admin API still has its end of the connection."""
    return any(one.raddr == client.getsockname() for one in admin_api(stack).net_connections("tcp"))


def test_a_client_that_does_not_read_is_disconnected(stack: StackRun, path: str) -> None:
    with ask(stack.url_of("admin_api"), path) as client:
        wait_until(lambda: is_connected(stack, client), "connected")
        wait_until(lambda: not is_connected(stack, client), "disconnected", 5 * WRITE_TIMEOUT_SECONDS)
        assert len(read_to_end(client)) < HASHES_BYTES


@pytest.mark.parametrize("target", ["/openapi.json", "/api/infohashes"])
def test_a_client_that_requests_many_answers_and_does_not_read_is_disconnected(stack: StackRun, target: str) -> None:
    """Uvicorn closes such a connection after a while, but first waits until everything has been sent."""
    Tracker(0, 0, "", stack.postgres_settings()).query(
        "INSERT INTO infohashes (info_hash, name) SELECT substring(sha256(n::text::bytea) FOR 20), repeat('x', 100)"
        "FROM generate_series(1, $1::int) AS n ON CONFLICT DO NOTHING",
        LISTED,
    )
    with connect(stack.url_of("admin_api"), window=SMALL_WINDOW, seconds=1) as client:
        try:
            for _ in range(1000):
                client.sendall(head("GET", target))
        except (TimeoutError, ConnectionError):
            pass  # the server reads no further requests while the answers aren't read
        wait_until(lambda: not is_connected(stack, client), "disconnected", 6 * WRITE_TIMEOUT_SECONDS)


def test_a_slow_reader_gets_the_whole_file(stack: StackRun, path: str) -> None:
    url = stack.url_of("admin_api")
    with connect(url, window=64 * 1024) as client:
        client.sendall(head("GET", path))
        received = bytearray()
        stop = time.monotonic() + 2 * WRITE_TIMEOUT_SECONDS
        while time.monotonic() < stop:
            received += client.recv(32 * 1024)
            time.sleep(0.02)
        received += read_exactly(client, received)
    start, _, body = bytes(received).partition(b"\r\n\r\n")
    assert b"content-length: %d" % len(body) in start.lower()
    assert body == expected_download(stack, path, "tracker.test")


def read_exactly(client: socket.socket, begun: bytearray) -> bytes:
    start, _, body = bytes(begun).partition(b"\r\n\r\n")
    length = int(start.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    rest = bytearray()
    while len(body) + len(rest) < length:
        more = client.recv(1024 * 1024)
        assert more
        rest += more
    return bytes(rest)


@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_a_download_whose_file_changes_is_cut_off_rather_than_mixed(stack: StackRun, change: str) -> None:
    path = download_path(stack)
    info_hash = bytes.fromhex(path[-40:])
    expected = expected_download(stack, path, "tracker.test")
    with ask(stack.url_of("admin_api"), path) as client:
        begun = client.recv(1000)
        time.sleep(0.3)  # the kernel takes some of it
        database = Tracker(0, 0, "", stack.postgres_settings())
        if change == "removed":
            database.query("DELETE FROM infohashes WHERE info_hash = $1", info_hash)
        else:
            other = bencode({b"info": {b"name": b"other", b"pieces": bytes(HASHES_BYTES)}})
            database.query("UPDATE infohashes SET file = $2 WHERE info_hash = $1", info_hash, other)
        body = (begun + read_to_end(client)).partition(b"\r\n\r\n")[2]
    assert len(body) < len(expected)
    assert expected.startswith(body)


def test_no_connection_to_postgres_is_held_for_a_client_that_does_not_read(stack: StackRun, path: str) -> None:
    held = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'etracker-admin-api' AND state <> 'idle'"
    database = Tracker(0, 0, "", stack.postgres_settings())
    with ExitStack() as clients:
        for _ in range(20):
            clients.enter_context(ask(stack.url_of("admin_api"), path))
        wait_until(lambda: database.query(held)[0][0] == 0, "all connections are idle", WRITE_TIMEOUT_SECONDS)


def test_a_download_through_the_gateway_equals_the_encoded_torrent(stack: StackRun, path: str) -> None:
    answer = httpx.get(stack.base_url + path, timeout=60, trust_env=False)
    assert answer.content == expected_download(stack, path)
    assert int(answer.headers["content-length"]) == len(answer.content)
    only_head = httpx.head(stack.base_url + path, timeout=60, trust_env=False)
    assert (only_head.headers["content-length"], only_head.content) == (answer.headers["content-length"], b"")
