"""Servers that aren't part of the stack: a Postgres for another tracker, and a Redis Cluster."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from bench.trackers.processes import StartError, free_ports, running, stop, wait_for_port
from etracker_stack.account import postgres_account, prepare_child, reaching
from etracker_stack.postgres import LOCALE, OPTIONS
from etracker_stack.postgres_programs import readable_programs

SLOTS = 16_384
AGREE_SECONDS = 30.0


@contextmanager
def postgres(directory: Path, port: int, user: str, password: str) -> Iterator[int]:
    """Run an embedded Postgres with the options of the stack's and a database named like its user; yield its pid."""
    programs = readable_programs(directory / "postgres-programs")
    data, password_file, log = directory / "postgres", directory / "password", directory / "postgres.log"
    data.mkdir(0o700)
    password_file.touch(0o600)
    password_file.write_text(password)
    account = postgres_account()
    if account is not None:
        for path in (data, password_file):
            os.chown(path, account.uid, account.gid)
    prepare = prepare_child(signal.SIGINT, reaching(account, *programs.needed, data, password_file))
    create: list[str | Path] = [
        programs.directory / "initdb",
        "-D",
        data,
        f"--username={user}",
        f"--pwfile={password_file}",
        *LOCALE,
        "--auth=scram-sha-256",
    ]
    subprocess.run(create, check=True, capture_output=True, preexec_fn=prepare)
    options = [f"--{name}={value}" for name, value in {**OPTIONS, "port": str(port)}.items()]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [programs.directory / "postgres", "-D", data, *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=prepare,  # noqa: PLW1509 - the benchmark has one thread
        )
    try:
        wait_for_port(process, port, log)
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)  # a fast shutdown: clients are disconnected, not waited for
        stop(process)


@contextmanager
def redis_cluster(directory: Path, program: str | Path, masters: int) -> Iterator[dict[str, tuple[int, int]]]:
    """Run a Redis Cluster with append-only files and without replicas; yield each master's pid and port by its role."""
    with ExitStack() as stack:
        numbers = free_ports(2 * masters)
        ports, bus_ports = numbers[:masters], numbers[masters:]
        found = {}
        for number, (port, bus_port) in enumerate(zip(ports, bus_ports, strict=True), start=1):
            process = stack.enter_context(_master(directory / f"redis-{number}", program, port, bus_port))
            found[f"redis-{number}"] = process.pid, port
        _join(ports, bus_ports)
        yield found


def _master(
    directory: Path, program: str | Path, port: int, bus_port: int
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    directory.mkdir(parents=True)
    cluster = ["--cluster-enabled", "yes", "--cluster-port", str(bus_port)]
    files = ["--dir", str(directory), "--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", *cluster, *files]
    return running(command, port, directory / "log")


def _join(ports: Sequence[int], bus_ports: Sequence[int]) -> None:
    masters = len(ports)
    for number, port in enumerate(ports):
        first, last = SLOTS * number // masters, SLOTS * (number + 1) // masters - 1
        with Redis(port=port) as client:
            client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
            client.execute_command("CLUSTER MEET", "127.0.0.1", ports[0], bus_ports[0])
    deadline = time.monotonic() + AGREE_SECONDS
    while not all(_agrees(port, masters) for port in ports):
        if time.monotonic() > deadline:
            raise StartError("the Redis Cluster's masters don't find each other")
        time.sleep(0.1)


def _agrees(port: int, masters: int) -> bool:
    try:
        with Redis(port=port) as client:
            info = client.execute_command("CLUSTER INFO")
    except RedisConnectionError:
        return False
    return bool(info["cluster_state"] == "ok" and info["cluster_known_nodes"] == str(masters))
