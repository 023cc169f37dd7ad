"""What the Redis container runs: the script itself, on a real server, with limits as a kernel would report them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import redis

from tests.support.processes import Program, free_port
from tests.support.redis import valkey_program

SCRIPT = Path(__file__).parents[3] / "deploy" / "redis" / "start.sh"
PASSWORD = "open-sesame"
MIB = 2**20
MACHINE = "MemTotal:        4194304 kB\nMemFree:          100000 kB\n"


def environment(directory: Path, limits: dict[str, str], **variables: str) -> dict[str, str]:
    """Return the script's environment: a machine with 4 GiB, and the limits of its control group by file name."""
    for name, text in limits.items():
        (directory / "cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / "cgroup" / name).write_text(text + "\n")
    (directory / "meminfo").write_text(MACHINE)
    server = shutil.which("redis-server")
    assert server, "redis-server is missing: make install-system"
    return {
        "PATH": os.environ["PATH"],
        "REDISCLI_AUTH": PASSWORD,
        "REDIS_DATA": str(directory),
        "REDIS_START": server,
        "CGROUPS": str(directory / "cgroup"),
        "MEMINFO": str(directory / "meminfo"),
        **variables,
    }


@pytest.mark.parametrize(
    ("limits", "variables", "expected"),
    [
        pytest.param({"memory.max": str(1024 * MIB)}, {}, 512 * MIB, id="half of the container's"),
        pytest.param({"memory.max": "max"}, {}, 2048 * MIB, id="half of the machine's"),
        pytest.param({"memory/memory.limit_in_bytes": str(512 * MIB)}, {}, 256 * MIB, id="version 1"),
        pytest.param({"memory/memory.limit_in_bytes": "9223372036854771712"}, {}, 2048 * MIB, id="version 1 without"),
        pytest.param({}, {}, 2048 * MIB, id="no control group"),
        pytest.param({"memory.max": str(40 * MIB)}, {}, 32 * MIB, id="the least"),
        pytest.param({"memory.max": "max"}, {"ETRACKER_REDIS_MAXMEMORY": "3GB"}, 3072 * MIB, id="set"),
        pytest.param({"memory.max": "max"}, {"ETRACKER_REDIS_MAXMEMORY": "100m"}, 100_000_000, id="set in millions"),
        pytest.param({"memory.max": "max"}, {"ETRACKER_REDIS_MAXMEMORY": "64000000"}, 64_000_000, id="set in bytes"),
    ],
)
def test_redis_gets_its_limit(tmp_path: Path, limits: dict[str, str], variables: dict[str, str], expected: int) -> None:
    port = free_port()
    command = ["sh", str(SCRIPT), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    program = Program(command, log=tmp_path / "log", environment=environment(tmp_path, limits, **variables))
    with program, redis.Redis(port=port, password=PASSWORD) as client:
        program.wait_until(lambda: answers(client), "Redis answers")
        settings = client.config_get("maxmemory*")
        assert (settings["maxmemory"], settings["maxmemory-policy"]) == (str(expected), "noeviction")
        assert client.config_get("appendonly")["appendonly"] == "yes"
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    assert (tmp_path / "redis.conf").stat().st_mode & 0o077 == 0


def test_valkey_runs_with_the_same_configuration(tmp_path: Path) -> None:
    port = free_port()
    command = ["sh", str(SCRIPT), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    variables = environment(tmp_path, {"memory.max": str(1024 * MIB)}, REDIS_START=str(valkey_program()))
    program = Program(command, log=tmp_path / "log", environment=variables)
    with program, redis.Redis(port=port, password=PASSWORD) as client:
        program.wait_until(lambda: answers(client), "valkey answers")
        assert client.info("server")["server_name"] == "valkey"
        assert client.config_get("maxmemory")["maxmemory"] == str(512 * MIB)


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("plenty", "it must be a number of bytes, or one like 512mb or 2gb"),
        ("-1", "it must be a number of bytes, or one like 512mb or 2gb"),
        ("1mb", "it must be at least 32mb"),
        ("2gb", "it must be less than the container's memory, 1073741824 bytes"),
    ],
)
def test_a_wrong_limit_is_refused_with_a_sentence(tmp_path: Path, value: str, sentence: str) -> None:
    variables = environment(tmp_path, {"memory.max": str(1024 * MIB)}, ETRACKER_REDIS_MAXMEMORY=value)
    done = subprocess.run(["sh", SCRIPT], env=variables, capture_output=True, text=True, check=False, timeout=10)
    assert done.returncode == 78
    assert sentence in done.stderr
