"""The script and a real server, as an operator uses them: without an environment in which anything is installed."""

import ast
import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import libtorrent
import pytest
from fastbencode import bencode

from etracker_admin_api.settings import AdminSettings
from etracker_stack.services import server_variables
from tests.support.admin_api import API_KEY
from tests.support.processes import Program, free_port, wait_until
from tests.support.torrent_files import InOrder, encode, hybrid_torrent, torrent, v1_info, v2_torrent
from tests.support.torrents import info_hash_v1

SCRIPT = Path(__file__).parents[3] / "scripts" / "add_infohash.py"


@pytest.fixture
def server(admin_settings: AdminSettings, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    environment = {
        **os.environ,
        **server_variables(admin_settings, admin_settings),
        "ETRACKER_AUTHORIZATION": API_KEY,
        "ETRACKER_LISTEN_HOST": "127.0.0.1",
        "ETRACKER_LISTEN_PORT": str(port),
    }
    command = [sys.executable, "-m", "etracker_admin_api"]
    with Program(command, log=tmp_path / "admin_api.log", environment=environment):
        host = f"127.0.0.1:{port}"
        wait_until(lambda: is_ready(host), "the admin API is ready")
        yield host


def is_ready(host: str) -> bool:
    try:
        return httpx.get(f"http://{host}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def listed(host: str) -> list[str]:
    return [row["name"] for row in httpx.get(f"http://{host}/api/infohashes").json()]


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_the_script_adds_a_torrent(server: str, tmp_path: Path, scheme: str) -> None:
    file = tmp_path / 'my "torrent" ü.torrent'
    file.write_bytes(torrent(v1_info()))
    done = run(f"{scheme}{server}", API_KEY, file)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("201, ")
    assert info_hash_v1(file.read_bytes()).hex() in done.stdout
    assert listed(server) == ["a film.mkv"]
    assert run(server, API_KEY, file).stdout.startswith("200, ")


HASHED = {
    "v1": (torrent(v1_info()), 1, "a film.mkv"),
    "v2": (bencode(v2_torrent({b"a": b"a"})), 1, "folder"),
    "hybrid": (bencode(hybrid_torrent({b"a": b"a", b"b": b"b"})), 2, "folder"),
    "not sorted": (encode(InOrder([(b"info", InOrder(reversed(v1_info().items()))), (b"a", b"")])), 1, "a film.mkv"),
    "bytes after the end": (torrent(v1_info()) + b"\r\n", 1, "a film.mkv"),
    "GBK": (torrent(v1_info(name="\u6d4b\u8bd5".encode("gbk"))), 1, "\ufffd\ufffd\ufffd\ufffd"),
    "GBK with a twin": (torrent(v1_info(name=b"\xb2\xe2", **{"name.utf-8": "\u6d4b".encode()})), 1, "\u6d4b"),
    "public": (torrent(v1_info(private=None)), 1, "a film.mkv"),
    "larger than uploads may be": (torrent(v1_info(), comment=bytes(17 * 1024 * 1024)), 1, "a film.mkv"),
}


def test_the_script_can_add_the_infohashes_alone(server: str, tmp_path: Path) -> None:
    for data, count, name in HASHED.values():
        (tmp_path / "a.torrent").write_bytes(data)
        done = run("--hash-only", server, API_KEY, tmp_path / "a.torrent")
        assert (done.returncode, done.stdout.count("20")) == (0, count), done.stderr
        expected = {one.to_bytes() for one in announced(data)}
        tracked = httpx.get(f"http://{server}/api/infohashes").json()
        assert {base64.b64decode(row["info_hash"]) for row in tracked if row["name"] == name} == expected
        for one in expected:
            httpx.delete(f"http://{server}/api/infohash?info_hash={one.hex()}", headers={"Authorization": API_KEY})


def announced(data: bytes) -> list[libtorrent.sha1_hash]:
    """Return what libtorrent announces for a torrent."""
    hashes = libtorrent.load_torrent_buffer(data).info_hashes
    return [hashes.v1] * hashes.has_v1() + [libtorrent.sha1_hash(hashes.v2.to_bytes()[:20])] * hashes.has_v2()


def test_the_script_is_python_3_9_and_imports_nothing_but_the_standard_library() -> None:
    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 9))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_the_script_says_what_is_wrong_and_ends_with_a_status_of_its_own(server: str, tmp_path: Path) -> None:
    file, refused = tmp_path / "a.torrent", tmp_path / "refused.torrent"
    file.write_bytes(torrent(v1_info()))
    refused.write_bytes(torrent(v1_info(name=b"..")))
    cases = [
        ((server, "a wrong key", file), 1, "403, message: The API key"),
        ((server, API_KEY, refused), 1, '400, message: The torrent\'s name ".." in the key "name"'),
        ((server, API_KEY, tmp_path / "missing"), 2, "No such file"),
        ((server, "a\nkey", file), 2, "control character"),
        (("ftp://" + server, API_KEY, file), 2, "isn't the address of a tracker"),
        (("http://", API_KEY, file), 2, "isn't the address of a tracker"),
        ((f"127.0.0.1:{free_port()}", API_KEY, file), 3, "can't be reached"),
        (("127.0.0.1:99999", API_KEY, file), 2, "isn't the address of a tracker"),
    ]
    for arguments, status, sentence in cases:
        done = run(*arguments)
        assert (done.returncode, sentence in done.stderr) == (status, True), (arguments, done.stderr)
        assert "Traceback" not in done.stderr
    assert listed(server) == []


@pytest.mark.parametrize("option", [[], ["--hash-only"]])
@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty: download"),
        (b"junk", "isn't a torrent: choose"),
        (b"<!DOCTYPE html><html>", "is a web page, not a torrent: download"),
        (b"magnet:?xt=urn:btih:0123", "contains a magnet link, not a torrent: open"),
        (b"\x1aE\xdf\xa3" + bytes(17 * 1024 * 1024), "isn't a torrent: choose"),
    ],
)
def test_a_file_that_is_no_torrent_isnt_sent(tmp_path: Path, data: bytes, sentence: str, option: list[str]) -> None:
    file = tmp_path / "a.torrent"
    file.write_bytes(data)
    done = run("tracker.invalid", API_KEY, file, *option)
    assert (done.returncode, f"{file} {sentence}" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    "data", [b"d", b"de", b"d4:infoi1ee", b"d4:infod4:name5:abcde", b"d4:infode", b"d4:info9:abc", b"di"]
)
def test_a_damaged_torrent_isnt_hashed(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "a.torrent"
    file.write_bytes(data)
    done = run("tracker.invalid", API_KEY, file, "--hash-only")
    assert (done.returncode, "Traceback" in done.stderr, done.stderr.startswith("add_infohash.py: ")) == (
        2,
        False,
        True,
    )
