"""Damaged files of Redis and Postgres: one sentence names the file and the command that helps, and it does help.

The kind: data with which a server refuses to start, whatever is wrong with it.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from etracker_stack.programs import redis_program
from etracker_stack.redis_files import append_only_file
from tests.support.processes import Program, free_port
from tests.support.stack import StackRun

pytestmark = pytest.mark.timeout(180)

KEYS = 500
DEBIAN = Path("/usr/bin/redis-server")


@pytest.fixture
def data() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="etracker-stack-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory) / "data"


def write_data(program: Path, directory: Path) -> None:
    """Write the files of a Redis with an append-only file: a rewritten part, and what came after it."""
    directory.mkdir(parents=True)
    port = free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--appendonly", "yes")
    server = Program([program, *options], log=directory.parent / "writer.log")
    server.start()
    try:
        with redis.Redis(port=port) as client:
            server.wait_until(lambda: _pings(client), "Redis answers")
            client.mset({f"old{number}": "value" * 10 for number in range(KEYS)})
            client.bgrewriteaof()
            server.wait_until(lambda: not client.info("persistence")["aof_rewrite_in_progress"], "it is rewritten")
            for number in range(KEYS):
                client.set(f"new{number}", "value" * 10)
    finally:
        server.stop()


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def newest_file(directory: Path) -> Path:
    increments = list(directory.glob("appendonlydir/*.incr.aof"))
    return increments[0] if increments else directory / "appendonly.aof"


def overwrite(file: Path, share: float) -> None:
    """Overwrite 64 bytes with nonsense, at a fraction of a file's length."""
    with file.open("r+b") as opened:
        opened.seek(int(file.stat().st_size * share))
        opened.write(b"\xee" * 64)


def damage_the_tail(directory: Path) -> None:
    overwrite(newest_file(directory), 0.8)


def damage_the_rewritten_part(directory: Path) -> None:
    overwrite(next(directory.glob("appendonlydir/*.base.rdb"), directory / "appendonly.aof"), 0.1)


def remove_the_rewritten_part(directory: Path) -> None:
    next(directory.glob("appendonlydir/*.base.rdb")).unlink()


def remove_what_came_after(directory: Path) -> None:
    newest_file(directory).unlink()


def write_nonsense_into_the_manifest(directory: Path) -> None:
    append_only_file(directory).write_text("nonsense\n")


DAMAGES = [
    pytest.param(None, damage_the_tail, True, id="6-tail", marks=pytest.mark.full),
    pytest.param(None, damage_the_rewritten_part, False, id="6-rewritten"),
    pytest.param(DEBIAN, damage_the_tail, True, id="7-tail"),
    pytest.param(DEBIAN, damage_the_rewritten_part, False, id="7-rewritten", marks=pytest.mark.full),
    pytest.param(DEBIAN, remove_the_rewritten_part, False, id="7-no-base", marks=pytest.mark.full),
    pytest.param(DEBIAN, remove_what_came_after, False, id="7-no-increment", marks=pytest.mark.full),
    pytest.param(DEBIAN, write_nonsense_into_the_manifest, False, id="7-manifest"),
]


@pytest.mark.parametrize(("chosen", "damage", "keeps"), DAMAGES)
def test_damage_to_the_append_only_file_is_reported_with_a_remedy_that_works(
    data: Path, chosen: Path | None, damage: Callable[[Path], None], keeps: bool
) -> None:
    write_data(chosen or redis_program(), data / "redis")
    damage(data / "redis")
    variables = {"ETRACKER_REDIS_SERVER": str(chosen)} if chosen else {}
    run = StackRun(data, variables)
    refusal = run.refusal()
    assert not run.processes()
    assert f"{append_only_file(data / 'redis')} is damaged: run make repair-redis" in refusal

    repaired = repair(data, variables)
    assert ("Repaired" if keeps else "Redis will start empty") in repaired
    (kept,) = data.glob("redis.damaged-*")
    assert str(kept) in repaired
    assert keys_in(chosen or redis_program(), data / "redis") >= (KEYS if keeps else 0)


def repair(data: Path, variables: dict[str, str]) -> str:
    """Do what ``make repair-redis`` does."""
    environment = {**os.environ, **variables, "ETRACKER_DATA_DIR": str(data)}
    command = [sys.executable, "-m", "etracker_stack.redis_files"]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60).stdout


def keys_in(program: Path, directory: Path) -> int:
    port = free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--appendonly", "yes")
    with Program([program, *options], log=directory.parent / "reader.log") as server, redis.Redis(port=port) as client:
        server.wait_until(lambda: _pings(client), "Redis answers")
        return int(client.dbsize())


def test_a_tracker_starts_with_repaired_files_and_a_truncated_end_needs_no_repair(data: Path) -> None:
    write_data(redis_program(), data / "redis")
    damage_the_tail(data / "redis")
    repair(data, {})
    file = newest_file(data / "redis")
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size - 7)
    run = StackRun(data)
    run.start()
    try:
        assert "redis" in run.pids()
        with pytest.raises(subprocess.CalledProcessError):
            repair(data, {})  # a running tracker's files aren't touched
    finally:
        run.stop()
    assert "nothing to repair" in repair(data, {})


def test_files_damaged_while_redis_is_down_end_the_tracker_with_the_remedy(data: Path) -> None:
    run = StackRun(data)
    run.start()
    os.kill(run.pids()["redis"], signal.SIGSTOP)
    (data / "redis" / "appendonly.aof").write_bytes(b"*1\r\n$4\r\nPING\r\n" + b"no command at all\r\n" * 10)
    run.kill("redis")
    assert run.program.wait(60.0) != 0
    assert "make repair-redis" in run.output


def _cut(file: Path, size: int) -> None:
    with file.open("r+b") as opened:
        opened.truncate(size)


CLUSTER_DAMAGES = [
    pytest.param(lambda cluster: _cut(cluster / "global" / "pg_control", 10), id="control-cut"),
    pytest.param(
        lambda cluster: (cluster / "global" / "pg_control").unlink(), id="control-gone", marks=pytest.mark.full
    ),
    pytest.param(
        lambda cluster: overwrite(cluster / "global" / "pg_control", 0.0), id="control-damaged", marks=pytest.mark.full
    ),
    pytest.param(lambda cluster: shutil.rmtree(cluster / "pg_wal"), id="log-gone"),
    pytest.param(
        lambda cluster: [file.unlink() for file in (cluster / "pg_wal").glob("0*")],
        id="log-empty",
        marks=pytest.mark.full,
    ),
    pytest.param(lambda cluster: shutil.rmtree(cluster / "pg_xact"), id="transactions-gone", marks=pytest.mark.full),
    pytest.param(lambda cluster: (cluster / "postgresql.conf").unlink(), id="configuration-gone"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A cluster that has been used and stopped."""
    with tempfile.TemporaryDirectory(prefix="etracker-stack-") as directory:
        Path(directory).chmod(0o711)
        run = StackRun(Path(directory) / "data")
        run.start()
        run.stop()
        yield run.data


@pytest.mark.parametrize("damage", CLUSTER_DAMAGES)
def test_damage_to_the_cluster_is_reported_with_a_remedy(cluster: Path, damage: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory(prefix="etracker-stack-") as directory:
        Path(directory).chmod(0o711)
        data = Path(directory) / "data"
        data.mkdir(mode=0o711)
        subprocess.run(["cp", "-a", str(cluster / "postgres"), str(data)], check=True)  # with owners
        damage(data / "postgres")
        run = StackRun(data)
        refusal = run.refusal()
        assert not run.processes()
        assert f"{data / 'postgres'} is damaged (" in refusal
        assert "restore a backup" in refusal
