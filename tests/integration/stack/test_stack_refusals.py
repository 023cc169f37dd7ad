"""If the tracker can't start, one sentence says why, and nothing is left running."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from etracker_stack.data_directory import LEAST_FREE_BYTES, disk_complaint
from tests.support.stack import StackRun, on_a_small_disk


@pytest.fixture
def data() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="etracker-stack-") as directory:
        yield Path(directory) / "data"


def _refusal(data: Path, **variables: str) -> str:
    run = StackRun(data, variables)
    refusal = run.refusal()
    assert not run.processes()
    return refusal


def test_a_file_where_the_data_directory_should_be(data: Path) -> None:
    data.write_text("")
    assert "isn't a directory: set ETRACKER_DATA_DIR to one" in _refusal(data)


def test_a_data_directory_that_cannot_be_created(data: Path) -> None:
    assert "can't be used" in _refusal(data, ETRACKER_DATA_DIR="/proc/etracker")


def test_a_redis_server_that_isnt_a_program(data: Path) -> None:
    assert "/etc/passwd isn't a program: set ETRACKER_REDIS_SERVER" in _refusal(
        data, ETRACKER_REDIS_SERVER="/etc/passwd"
    )


def test_a_redis_socket_without_an_absolute_path(data: Path) -> None:
    assert "ETRACKER_REDIS_URL is wrong: a Unix socket needs an absolute path, with three slashes" in _refusal(
        data, ETRACKER_REDIS_URL="unix://run/redis.sock"
    )


def test_broken_secrets(data: Path) -> None:
    data.mkdir()
    (data / "secrets.json").write_text("{")
    assert "secrets.json is broken" in _refusal(data)


def test_a_directory_that_isnt_a_cluster(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    assert "isn't a Postgres cluster" in _refusal(data)


def test_a_cluster_of_another_major_version(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "PG_VERSION").write_text("16\n")
    assert "was made by Postgres 16" in _refusal(data)
    assert "pg_dump" in _refusal(data)


def test_a_broken_cluster(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "PG_VERSION").write_text("18\n")
    assert "postgres doesn't start: " in _refusal(data)


def test_a_broken_append_only_file(data: Path) -> None:
    (data / "redis").mkdir(parents=True)
    (data / "redis" / "appendonly.aof").write_text("no such format" * 10)
    refusal = _refusal(data)
    assert "redis doesn't start: " in refusal
    assert "redis.log" in refusal


def test_an_invalid_setting(data: Path) -> None:
    assert "ETRACKER_BACKEND_PORT is wrong" in _refusal(data, ETRACKER_BACKEND_PORT="many")


def test_the_services_own_message_explains_its_invalid_setting(data: Path) -> None:
    assert "ETRACKER_INTERVAL_SECONDS is wrong" in _refusal(data, ETRACKER_INTERVAL_SECONDS="soon")


def test_the_message_about_a_full_disk_says_how_much_space_is_needed(data: Path) -> None:
    data.mkdir()
    run = StackRun(data, command_prefix=on_a_small_disk(data, mebibytes=32))
    refusal = run.refusal()
    assert not run.processes()
    assert f"The disk of {data} is full" in refusal
    assert re.search(r"\b3[12] MiB are free", refusal)
    assert f"at least {LEAST_FREE_BYTES // 2**20} MiB" in refusal


def test_a_disk_with_enough_space_causes_no_message() -> None:
    assert disk_complaint(Path("/data"), LEAST_FREE_BYTES) is None
    assert disk_complaint(Path("/data"), LEAST_FREE_BYTES - 1) is not None
