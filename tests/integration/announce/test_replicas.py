"""The processes behind the public port of a container: one replaces another, and the ports stay open."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from fastbencode import bdecode

from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from etracker_stack.ports import is_taken
from tests.support.announce import query
from tests.support.announce_ports import HASH, PEER
from tests.support.processes import Program, children_of, free_ports, wait_until

HEALTH = Path(__file__).parents[3] / "deploy" / "health.sh"


class Container:
    """Two replicas, with the ports that a container has."""

    def __init__(self, program: Program, ports: list[int]) -> None:
        self.program = program
        self.gateway, self.public, *self.observation = ports

    def announce(self, port: int, **headers: str) -> dict[bytes, object]:
        """Announce over IPv4 and return the answer."""
        answer = httpx.get(
            f"http://127.0.0.1:{port}/announce?{query(HASH, PEER)}", headers=headers, trust_env=False, timeout=20
        )
        return dict(bdecode(answer.content))

    @property
    def replicas(self) -> list[psutil.Process]:
        return list(children_of(self.program.pid))

    def are_ready(self) -> bool:
        return all(answers(f"http://127.0.0.1:{port}/readyz") for port in self.observation)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def container(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, tmp_path: Path
) -> Iterator[Container]:
    first = next(port for port in free_ports(20) if not is_taken("127.0.0.1", port + 1))
    ports = [*[port for port in free_ports(4) if port not in {first, first + 1}][:2], first, first + 1]
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **{name.upper(): str(value) for name, value in postgres_settings.model_dump().items() if name != "pgpassword"},
        "PGPASSWORD": postgres_settings.pgpassword.get_secret_value(),
        "ETRACKER_REDIS_URL": redis_settings.redis_url,
        "ETRACKER_REDIS": redis_settings.redis.get_secret_value(),
        "ETRACKER_DISABLE_ALLOWLIST": "true",
        "ETRACKER_LISTEN_HOST": "127.0.0.1",
        "ETRACKER_LISTEN_PORT": str(ports[0]),
        "ETRACKER_ANNOUNCE_PORT": str(ports[1]),
        "ETRACKER_OBSERVATION_PORT": str(first),
        "ETRACKER_ANNOUNCE_REPLICAS": "2",
    }
    command = [sys.executable, "-m", "etracker_announce.replicas"]
    with Program(command, log=tmp_path / "log", environment=environment) as program:
        container = Container(program, ports)
        program.wait_until(container.are_ready, "both replicas are ready", 40)
        yield container


def test_replicas_share_both_ports_and_come_back(container: Container) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    assert container.announce(container.gateway, **forwarded)[b"external ip"] == bytes([203, 0, 113, 9])
    assert container.announce(container.public, **forwarded)[b"external ip"] == bytes([127, 0, 0, 1])
    with socket.create_connection(("::1", container.public), timeout=10) as over_ipv6:
        over_ipv6.sendall(f"GET /announce?{query(HASH, PEER)} HTTP/1.0\r\n\r\n".encode())
        assert b"8:complete" in over_ipv6.recv(65536)

    before = container.replicas
    assert len(before) == 2
    for replica in before:  # at once: nobody is left to accept, and nobody is refused
        replica.send_signal(signal.SIGKILL)
    psutil.wait_procs(before, timeout=20)
    assert b"complete" in container.announce(container.public)
    assert b"complete" in container.announce(container.gateway)
    wait_until(container.are_ready, "both replicas are back", 40)
    assert len(container.replicas) == 2
    assert not {one.pid for one in before} & {one.pid for one in container.replicas}


def test_the_containers_health_check_notices_any_replica_that_hangs_or_is_gone(container: Container) -> None:
    def check(replicas: int) -> int:
        command = ["bash", str(HEALTH), str(container.observation[0]), str(replicas)]
        return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode

    assert check(2) == 0
    assert check(3) != 0  # nobody listens on the third port
    for replica in container.replicas:
        replica.suspend()
        assert check(2) != 0
        replica.resume()
        assert check(2) == 0


def test_a_container_of_replicas_stops_when_asked(container: Container) -> None:
    replicas = container.replicas
    assert container.program.stop() == 0
    assert not [one for one in replicas if one.is_running()]


def test_a_wrong_setting_ends_the_container_with_a_sentence(tmp_path: Path) -> None:
    environment = {"ETRACKER_ANNOUNCE_REPLICAS": "none", "PATH": os.environ["PATH"]}
    program = Program(
        [sys.executable, "-m", "etracker_announce.replicas"], log=tmp_path / "log", environment=environment
    )
    program.start()
    assert program.wait() == 78
    assert "the setting ETRACKER_ANNOUNCE_REPLICAS is wrong" in program.output
