"""The script and a real server, as an operator uses them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from etracker_admin_api.settings import AdminSettings
from etracker_stack.services import server_variables
from tests.support.admin_api import API_KEY
from tests.support.processes import Program, free_port, wait_until
from tests.support.torrent_files import torrent, v1_info
from tests.support.torrents import Version, info_hash_v1, make_content, make_torrent

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
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
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


def test_the_script_can_add_the_infohash_alone(server: str, tmp_path: Path) -> None:
    file = tmp_path / "a.torrent"
    file.write_bytes(make_torrent(make_content(tmp_path / "content.bin", 300_000), version=Version.HYBRID))
    done = run("--hash-only", server, API_KEY, file)
    assert done.returncode == 0, done.stderr
    assert listed(server) == ["content.bin"]


def test_the_script_says_what_is_wrong_and_ends_with_a_status_of_its_own(server: str, tmp_path: Path) -> None:
    file, junk = tmp_path / "a.torrent", tmp_path / "junk"
    file.write_bytes(torrent(v1_info()))
    junk.write_bytes(b"junk")
    cases = [
        ((server, "a wrong key", file), 1, "403, message: The API key"),
        ((server, API_KEY, junk), 1, "400, message: The file isn't a torrent"),
        ((server, API_KEY, junk, "--hash-only"), 2, "no torrent"),
        ((server, API_KEY, tmp_path / "missing"), 2, "No such file"),
        ((server, "a\nkey", file), 2, "control character"),
        (("ftp://" + server, API_KEY, file), 2, "no address"),
        (("http://", API_KEY, file), 2, "no address"),
        ((f"127.0.0.1:{free_port()}", API_KEY, file), 3, "can't be reached"),
        (("127.0.0.1:99999", API_KEY, file), 2, "no address"),
    ]
    for arguments, status, sentence in cases:
        done = run(*arguments)
        assert (done.returncode, sentence in done.stderr) == (status, True), (arguments, done.stderr)
        assert "Traceback" not in done.stderr
    assert listed(server) == []
