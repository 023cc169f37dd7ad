"""Every service reaches Redis through a Unix socket, with the password and the database that its URL names."""

import base64
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NotConnectedError

from etracker_shared.agreements.redis_keys import LIMIT_PREFIX
from etracker_shared.plumbing.settings import RedisSettings
from etracker_stack.programs import redis_program
from etracker_stack.services import server_variables
from tests.support.postgres import PostgresServer
from tests.support.processes import Program, wait_until
from tests.support.stack import StackRun, running_stack

PASSWORD = "open & ?sesame"
DATABASE = 3
QUESTION = f"info_hash={'h' * 20}&peer_id=-TR4050-abcdefghijkl&port=6881&uploaded=0&downloaded=0&left=0"

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="etracker-socket-") as path:
        yield Path(path)


@pytest.fixture
def redis_server(directory: Path) -> Iterator[Program]:
    """A Redis that listens on a Unix socket only; the test starts it."""
    options = ("--port", "0", "--unixsocket", directory / "redis.sock", "--requirepass", PASSWORD, "--save", "")
    server = Program([redis_program(), "--dir", directory, *options], log=directory / "log")
    yield server
    if server.running:
        server.stop()


def _client(directory: Path, database: int) -> Redis:
    return Redis(unix_socket_path=str(directory / "redis.sock"), password=PASSWORD, db=database)


def _answers(directory: Path) -> bool:
    try:
        with _client(directory, DATABASE) as client:
            return bool(client.ping())
    except NotConnectedError:
        return False


def _announce(run: StackRun, key: str) -> bytes:
    return httpx.get(f"http://{run.announce_address}/{key}/announce?{QUESTION}").content


def test_each_service_says_what_is_wrong_with_a_socket_and_uses_it_once_redis_is_there(
    directory: Path, redis_server: Program, dedicated_postgres: PostgresServer
) -> None:
    socket = directory / "redis.sock"
    url = f"unix://{quote(str(socket))}?db={DATABASE}&password={quote(PASSWORD)}"
    given = server_variables(dedicated_postgres.settings("migrated"), RedisSettings(redis_url=url))
    with running_stack(given) as run:
        advice = f"there is no socket at {socket}: set unixsocket in redis.conf, or correct ETRACKER_REDIS_URL"
        assert "redis" not in run.pids()
        assert advice in run.output
        assert advice in httpx.get(f"{run.observation_url_of('announce-1')}/readyz").json()["reasons"]["redis"]
        for name in ("announce-1", "scoring_worker", "admin_api"):
            assert advice in (run.files / "logs" / f"{name}.log").read_text(), name

        redis_server.start()
        wait_until(lambda: _answers(directory), "Redis answers")
        body = {"info_hash": base64.b64encode(b"h" * 20).decode(), "name": "a film"}
        authorized = {"Authorization": run.api_key}
        assert httpx.post(f"{run.base_url}/api/infohash", json=body, headers=authorized).status_code == 201
        key = httpx.get(f"{run.base_url}/api/generate").json()["announce_key"]
        wait_until(lambda: b"failure" not in _announce(run, key), "announce uses the socket")
        for name in ("announce-1", "scoring_worker"):
            wait_until(
                lambda name=name: httpx.get(f"{run.observation_url_of(name)}/readyz").status_code == 200,  # type: ignore[misc]
                f"{name} is ready",
            )

        def standing() -> list[object]:
            headers = {"X-Announce-Key": key}
            return list(httpx.get(f"{run.base_url}/api/v1/standing", headers=headers).json()["torrents"])

        wait_until(lambda: bool(standing()), "the worker reads the facts")
        system = httpx.get(f"{run.base_url}/api/v1/system", headers=authorized).json()
        assert system["redis"] is not None

        with _client(directory, DATABASE) as used, _client(directory, 0) as unused:
            assert unused.dbsize() == 0
            wait_until(lambda: _counts_callers(run, used), "the admin API counts its callers there")
        assert PASSWORD not in "".join(run.log_lines())
        assert quote(PASSWORD) not in "".join(run.log_lines())


def _counts_callers(run: StackRun, client: Redis) -> bool:
    httpx.get(f"{run.base_url}/api/generate")
    return bool(list(client.scan_iter(f"{LIMIT_PREFIX}*")))
