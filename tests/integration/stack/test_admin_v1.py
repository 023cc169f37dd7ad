"""The admin API v1 on the whole tracker: its document is right, and announces obey what operators decide."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes

import httpx
import pytest
from fastbencode import bdecode

from tests.support.processes import wait_until
from tests.support.stack import StackRun, running_stack

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
FILM = bytes(range(20))
PEER_ID = b"-qB4520-abcdefghijkl"


@pytest.fixture(scope="module")
def stack() -> Iterator[StackRun]:
    """A tracker of which these tests may get more keys than an address may otherwise."""
    with running_stack({"ETRACKER_KEY_LIMIT": "1000/hour"}) as run:
        yield run


@pytest.fixture
def operator(stack: StackRun) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    with httpx.Client(base_url=f"{stack.base_url}/api/v1", headers=headers, trust_env=False) as client:
        client.post("/infohashes", json={"info_hash": FILM.hex(), "name": "film"}).raise_for_status()
        yield client


def new_key(operator: httpx.Client) -> str:
    return str(operator.post("/keys").raise_for_status().json()["announce_key"])


def key_id(operator: httpx.Client, announce_key: str) -> int:
    return int(operator.post("/keys/lookup", json={"announce_key": announce_key}).raise_for_status().json()["id"])


def announce(stack: StackRun, announce_key: str, left: int = 0) -> bytes | None:
    """Announce; return the failure reason."""
    query = f"info_hash={quote_from_bytes(FILM, safe='')}&peer_id={quote_from_bytes(PEER_ID)}&port=6881&left={left}"
    address = stack.announce_addresses[0]
    answer = httpx.get(f"http://{address}/{announce_key}/announce?{query}&uploaded=0&downloaded=0", trust_env=False)
    refused: bytes | None = bdecode(answer.content).get(b"failure reason")
    return refused


def within_a_second(condition: Callable[[], bool], what: str) -> None:
    """Fail unless a condition holds within a second, plus the time of one check."""
    deadline = time.monotonic() + 1.0
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_a_disabled_key_is_refused_within_a_second_and_works_again_when_enabled(
    stack: StackRun, operator: httpx.Client
) -> None:
    key = new_key(operator)
    wait_until(lambda: announce(stack, key) is None, "the new key is accepted")
    row = key_id(operator, key)
    assert operator.patch(f"/keys/{row}", json={"disabled": True}).json()["disabled"]
    within_a_second(lambda: announce(stack, key) is not None, "the disabled key is refused")
    assert operator.patch(f"/keys/{row}", json={"disabled": False}).is_success
    within_a_second(lambda: announce(stack, key) is None, "the enabled key is accepted")


def test_operators_see_how_many_torrents_a_network_announces(stack: StackRun, operator: httpx.Client) -> None:
    """Somebody who enumerates swarms as a guest, under a new peer_id each time."""
    torrents = [bytes([200, number]) * 10 for number in range(12)]
    for torrent in torrents:
        operator.post("/infohashes", json={"info_hash": torrent.hex(), "name": "one of many"}).raise_for_status()
    for torrent in torrents:
        query = f"info_hash={quote_from_bytes(torrent, safe='')}&peer_id={quote_from_bytes(torrent)}&port=6881&left=1"
        answer = httpx.get(f"http://{stack.announce_addresses[0]}/announce?{query}", trust_env=False)
        assert b"failure reason" not in bdecode(answer.content)

    def torrents_of_the_first() -> list[int]:
        items = [operator.get("/prefixes", params={"hour": hour}).json()["items"] for hour in ("previous", "current")]
        return [item["torrents"] for item in (*items[0][:1], *items[1][:1])]

    # Other tests announce one more from here, which counts twice if an hour has ended since.
    wait_until(lambda: 12 <= sum(torrents_of_the_first()) <= 14, "the network is first in the list", 10.0)


def test_a_rotated_key_keeps_its_history(stack: StackRun, operator: httpx.Client) -> None:
    key = new_key(operator)
    wait_until(lambda: announce(stack, key) is None, "the new key is accepted")
    row = key_id(operator, key)
    wait_until(lambda: operator.get(f"/keys/{row}").json()["last_seen"] is not None, "the announce is settled")
    seen = operator.get(f"/keys/{row}").json()
    fresh = operator.post("/key/rotate", headers={"X-Announce-Key": key}).raise_for_status().json()
    assert fresh["announce_url"] == f"http://{stack.announce_address}/{fresh['announce_key']}/announce"
    within_a_second(lambda: announce(stack, key) is not None, "the old key is refused")
    within_a_second(lambda: announce(stack, fresh["announce_key"]) is None, "the new key is accepted")
    assert key_id(operator, fresh["announce_key"]) == row
    assert operator.get(f"/keys/{row}").json()["created"] == seen["created"]


def test_a_stolen_key_is_refused_until_its_holder_has_it_back(stack: StackRun, operator: httpx.Client) -> None:
    """By undoing a rotation, and by recovering the key, whose code is in no log."""
    new = operator.post("/keys").raise_for_status().json()
    key, code = new["announce_key"], new["recovery_code"]
    wait_until(lambda: announce(stack, key) is None, "the new key is accepted")
    thiefs = operator.post("/key/rotate", headers={"X-Announce-Key": key}).raise_for_status().json()["announce_key"]
    within_a_second(lambda: announce(stack, key) is not None, "the old key is refused")
    operator.post("/key/rotation/undo", headers={"X-Announce-Key": key}).raise_for_status()
    within_a_second(lambda: announce(stack, key) is None, "the old key is accepted")
    within_a_second(lambda: announce(stack, thiefs) is not None, "the thief's key is refused")
    mine = operator.post("/key/recover", json={"recovery_code": code}).raise_for_status().json()["announce_key"]
    within_a_second(lambda: announce(stack, mine) is None, "the recovered key is accepted")
    within_a_second(lambda: announce(stack, key) is not None, "the stolen key is refused")
    logs = [path.read_text(errors="replace") for path in stack.data.rglob("*.log")]
    assert any("/api/v1/key/recover" in log for log in logs)
    assert not [log for log in logs if code in log or code.replace("-", "") in log]


def test_operators_see_peers_services_and_the_last_write(stack: StackRun, operator: httpx.Client) -> None:
    key = new_key(operator)
    wait_until(lambda: announce(stack, key, left=5) is None, "the new key is accepted")
    row = key_id(operator, key)
    peers = operator.get(f"/infohashes/{FILM.hex()}/peers").json()
    (mine,) = [peer for peer in peers["items"] if peer["key_id"] == row]
    assert (mine["client"], mine["port"], mine["seeder"], mine["guest"]) == ("-qB4520-", 6881, False, False)
    wait_until(lambda: operator.get("/system").json()["last_write"] is not None, "a fact is settled")
    system = operator.get("/system").json()
    assert {service["name"]: service["status"] for service in system["services"]} == dict.fromkeys(
        ("admin_api", "announce", "scoring", "scoring_worker"), "up"
    )
    assert system["stream"]["lag_entries"] is not None
    assert system["postgres"]["size_bytes"] > 0 < system["redis"]["memory_bytes"]
    settings = operator.get("/settings").json()["items"]
    told = {service for setting in settings for service in setting["services"]}
    assert told == {"admin_api", "announce", "scoring", "scoring_worker"}
    assert [setting["name"] for setting in settings if not setting["description"].endswith(".")] == []
    assert stack.api_key not in str(settings)
    wait_until(lambda: operator.get("/stats").json()["leechers"] >= 1, "the peer is counted")


def test_the_system_page_warns_about_a_proxy_that_hides_its_clients(stack: StackRun, operator: httpx.Client) -> None:
    """All peers here have the loopback address of the test."""
    for _ in range(12):
        key = new_key(operator)
        within_a_second(lambda: announce(stack, key) is None, "the new key is accepted")  # noqa: B023 - called at once

    def detail() -> str:
        services = operator.get("/system").json()["services"]
        return "".join(service["detail"] for service in services if service["name"] == "announce")

    wait_until(lambda: "ETRACKER_GATEWAY_TRUSTED_PROXIES" in detail(), "the system page warns")
    [line] = [line for line in stack.logs().splitlines() if "peers_share_one_address" in line]
    assert "127.0.0" not in line


@pytest.mark.timeout(300)
@pytest.mark.parametrize("examples", [5, pytest.param(20, marks=pytest.mark.full)])
def test_schemathesis_finds_nothing(stack: StackRun, operator: httpx.Client, examples: int) -> None:
    headers = [f"Authorization: {stack.api_key}", f"X-Announce-Key: {new_key(operator)}"]
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run", str(DOCUMENT)),
        *("--url", stack.url_of("admin_api"), "-H", headers[0], "-H", headers[1]),
        *("--checks", "all", "--max-examples", str(examples), "--seed", "20", "--no-color"),
    ]
    with tempfile.TemporaryDirectory() as directory:  # it leaves a cache in its working directory
        done = subprocess.run(command, cwd=directory, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert "Tested: " in done.stdout
