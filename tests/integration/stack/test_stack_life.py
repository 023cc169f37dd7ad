"""The whole tracker as one program: it starts, keeps its data, restarts what crashes, and leaves nothing behind."""

import base64
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from etracker_shared.agreements.database_roles import DatabaseRole, role_name
from etracker_stack.services import server_variables
from tests.support.postgres import PostgresServer, connect
from tests.support.processes import wait_until
from tests.support.redis import RedisServer
from tests.support.stack import StackRun, running_stack
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(180)

NAMES = {"postgres", "redis", "scoring_worker", "scoring", "admin_api", "announce-1", "gateway"}


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="etracker-stack-") as path:
        yield Path(path)


def _add_infohash(run: StackRun, name: str) -> None:
    body = {"info_hash": base64.b64encode(b"h" * 20).decode(), "name": name}
    answer = httpx.post(f"{run.base_url}/api/infohash", json=body, headers={"Authorization": run.api_key})
    assert answer.status_code == 201, answer.text


def test_a_restart_keeps_data_and_keys_and_a_stop_leaves_no_process(directory: Path) -> None:
    first = StackRun(directory / "data")
    first.start()
    assert set(first.pids()) == NAMES
    api_key = first.api_key
    _add_infohash(first, "kept")
    assert first.stop() == 0
    assert not first.processes()

    second = StackRun(directory / "data")
    second.start()
    assert second.api_key == api_key
    assert [torrent["name"] for torrent in httpx.get(f"{second.base_url}/api/infohashes").json()] == ["kept"]
    second.stop()


def test_the_console_shows_where_everything_is(stack: StackRun) -> None:
    assert f"http://localhost:{stack.base_url.rpartition(':')[2]}" in stack.output
    assert stack.api_key in stack.output
    assert str(stack.data) in stack.output
    assert "/announce\n" in stack.output


def test_an_announce_is_in_its_keys_standing_within_seconds(stack: StackRun) -> None:
    _add_infohash(stack, "a film")
    key = httpx.get(f"{stack.base_url}/api/generate").json()["announce_key"]
    question = "info_hash=" + "h" * 20 + "&peer_id=-TR4050-abcdefghijkl&port=6881&uploaded=0&downloaded=0&left=0"

    def standing() -> dict[str, Any]:
        answer = httpx.get(f"{stack.base_url}/api/v1/standing", headers={"X-Announce-Key": key})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    assert (standing()["tier_name"], standing()["torrents"]) == ("little history", [])
    assert b"failure" not in httpx.get(f"{stack.base_url}/{key}/announce?{question}").content
    wait_until(lambda: bool(standing()["torrents"]), "the announce is settled", 20)
    told = standing()
    assert told["tier_name"] == "contributor"  # a newcomer's grace
    assert [(torrent["name"], torrent["seeding"]) for torrent in told["torrents"]] == [("a film", True)]
    assert [change["tier"] for change in told["history"]] == [2]
    logs = "".join(log.read_text(errors="replace") for log in (stack.data / "logs").glob("*.log"))
    assert key not in logs


async def test_each_service_uses_its_own_database_role_and_none_the_owners(stack: StackRun) -> None:
    settings = stack.postgres_settings()
    expected = {role_name(settings.pguser, role) for role in DatabaseRole}
    connection = await connect(settings)
    others = "SELECT usename FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    async with httpx.AsyncClient(base_url=stack.base_url, trust_env=False) as client:

        async def are_signed_in() -> bool:
            (await client.get("/api/stats")).raise_for_status()
            return {row["usename"] for row in await connection.fetch(others)} == expected

        await eventually(are_signed_in, f"the services are signed in as {expected}")
    await connection.close()


def test_secrets_are_readable_by_their_owner_only(stack: StackRun) -> None:
    for name in ("secrets.json", "state.json", "redis/redis.conf"):
        assert (stack.data / name).stat().st_mode & 0o077 == 0, name


def test_processes_stop_in_order_when_asked_by_sigterm(directory: Path) -> None:
    run = StackRun(directory / "data", {"ETRACKER_ANNOUNCE_REPLICAS": "2"})
    run.start()
    run.program.send(signal.SIGTERM)
    assert run.stop() == 0
    assert not run.processes()
    stopped = [line.rpartition(" ")[2] for line in run.output.splitlines() if "] stopping" in line]
    announces = ["announce-2", "announce-1"]
    assert stopped == ["gateway", *announces, "admin_api", "scoring", "scoring_worker", "redis", "postgres"]


def test_nothing_outlives_a_killed_stack_and_its_data_can_be_used_again(directory: Path) -> None:
    run = StackRun(directory / "data")
    run.start()
    os.kill(run.program.pid, signal.SIGKILL)
    run.program.wait()
    wait_until(lambda: not run.processes(), "all processes are gone", 30)
    again = StackRun(directory / "data")
    again.start()
    again.stop()


def test_a_second_stack_can_run_at_the_same_time_but_not_with_the_same_data_or_port(
    stack: StackRun, directory: Path
) -> None:
    with running_stack() as other:
        assert other.base_url != stack.base_url
        assert httpx.get(f"{other.base_url}/api/stats").status_code == 200

    same_data = StackRun(stack.data)
    assert "Another etracker uses the data directory" in same_data.refusal()

    same_port = StackRun(directory / "data", {"ETRACKER_BACKEND_PORT": stack.base_url.rpartition(":")[2]})
    assert "is taken by another program" in same_port.refusal()

    announce_port = stack.announce_address.rpartition(":")[2]
    same_announce_port = StackRun(directory / "data", {"ETRACKER_ANNOUNCE_PORT": announce_port})
    assert f"Port {announce_port} is taken by another program" in same_announce_port.refusal()


@pytest.mark.parametrize(
    "name", ["announce-1", "scoring", "scoring_worker", "admin_api", "gateway", "redis", "postgres"]
)
def test_a_killed_process_is_started_again(stack: StackRun, name: str) -> None:
    stack.wait_for_new(name, stack.kill(name))
    wait_until(lambda: httpx.get(f"{stack.base_url}/api/stats").status_code == 200, "the tracker serves again")
    assert f"{name} ended (signal 9): starting it again" in stack.output


def test_the_stack_gives_up_on_a_process_that_crashes_again_and_again(directory: Path) -> None:
    run = StackRun(directory / "data")
    run.start()
    pid = 0
    while run.program.running:
        current = run.pids().get("scoring", pid)
        if current != pid:
            pid = current
            os.kill(pid, signal.SIGKILL)
    assert run.program.wait() == 1
    assert "scoring crashed 5 times within 60 s" in run.output
    wait_until(lambda: not run.processes(), "all processes are gone")


def test_servers_named_in_settings_are_used_instead_of_embedded_ones(
    dedicated_postgres: PostgresServer, dedicated_redis: RedisServer
) -> None:
    given = server_variables(dedicated_postgres.settings("migrated"), dedicated_redis.settings())
    with running_stack(given) as run:
        assert set(run.pids()) == NAMES - {"postgres", "redis"}
        _add_infohash(run, "elsewhere")
    assert dedicated_postgres.execute("SELECT name FROM infohashes", "migrated").strip() == "elsewhere"
