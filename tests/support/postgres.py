"""Real Postgres servers for tests."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from etracker_shared.plumbing.settings import PostgresSettings
from etracker_stack.account import postgres_account, prepare_child, reaching
from etracker_stack.postgres import LOCALE
from etracker_stack.postgres_programs import readable_programs
from tests.support.processes import Program, free_port

TEMPLATE = "migrated"
FOR_TESTS = {
    "fsync": "off",  # committed data still survives a kill of the server, though not a power cut
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}


class PostgresServer:
    """One Postgres server in its own directory, which a test may kill and start again."""

    def __init__(self, directory: Path, password: str = "") -> None:
        """Take where to keep the data. Without a password, every user may connect."""
        self._password = password
        self._data = directory.resolve() / "data"
        directory.chmod(0o711)
        self._data.mkdir(mode=0o700)
        if owner := postgres_account():
            os.chown(self._data, owner.uid, owner.gid)
        programs = readable_programs(directory / "programs")
        self._programs = programs.directory
        self._account = reaching(owner, *programs.needed, self._data)
        self._port = free_port()
        options = {**FOR_TESTS, "port": str(self._port)}
        self._program = Program(
            [self._programs / "postgres", "-D", self._data, *(f"--{name}={value}" for name, value in options.items())],
            log=directory / "log",
            account=self._account,
            stop_signal=signal.SIGINT,  # a fast shutdown: clients are disconnected, not waited for
        )

    @property
    def pid(self) -> int:
        return self._program.pid

    @property
    def log(self) -> str:
        return self._program.output

    def create(self) -> None:
        """Create the cluster on disk."""
        command = ["-D", str(self._data), "--username=etracker", "--no-sync", "--no-instructions", *LOCALE]
        if not self._password:
            self._run("initdb", *command, "--auth=trust")
            return
        password_file = self._data.with_name("password")
        password_file.write_text(self._password)
        self._run("initdb", *command, "--auth=scram-sha-256", f"--pwfile={password_file}")

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._program.start()
        self._program.wait_until(self._ready, "Postgres answers")

    def stop(self) -> None:
        """Shut it down as an operator would."""
        self._program.stop()

    def kill(self) -> None:
        """Kill it with all its backends, as ``kill -9`` or a power cut would."""
        self._program.kill()

    def settings(self, database: str) -> PostgresSettings:
        """Return the settings a service takes for one of its databases."""
        return PostgresSettings(
            pghost="127.0.0.1",
            pgport=self._port,
            pgdatabase=database,
            pguser="etracker",
            pgpassword=SecretStr(self._password),
        )

    def execute(self, statement: str, database: str = "postgres") -> str:
        """Run one statement through psql and return its output, unaligned."""
        where = ["-h", "127.0.0.1", "-p", str(self._port), "-U", "etracker", "-d", database]
        return self._run("psql", *where, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement)

    def migrate(self, database: str) -> None:
        """Create a database and bring it to the newest version, with the program an operator runs."""
        self.execute(f"CREATE DATABASE {database}")
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(self._port), "PGDATABASE": database}
        variables = {**where, "PGUSER": "etracker", "PGPASSWORD": self._password}
        command = [sys.executable, "-m", "etracker_migrations"]
        done = subprocess.run(command, env={**os.environ, **variables}, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def _ready(self) -> bool:
        lines = _lines(self._data / "postmaster.pid")
        return len(lines) >= 8 and lines[0].strip() == str(self.pid) and lines[7].strip() == "ready"

    def _run(self, name: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self._programs / name), *arguments],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "PGPASSWORD": self._password},
            preexec_fn=prepare_child(signal.SIGKILL, self._account),
            cwd="/",
        )
        assert done.returncode == 0, f"{name} {arguments}: {done.stderr}"
        return done.stdout


def refusals_of_roles(log: str) -> list[str]:
    """Return what Postgres refused a service: its role lacks a privilege, which the service may have hidden."""
    refused = ("permission denied", "must be owner", 'role "etracker_', 'user "etracker_')
    return [line for line in log.splitlines() if any(one in line for one in refused)]


async def connect(settings: PostgresSettings) -> asyncpg.Connection:
    """Open a connection to a database that a test or its tracker uses."""
    return await asyncpg.connect(
        **settings.asyncpg_arguments(),
        timeout=5.0,
    )


@contextmanager
def running_postgres(password: str = "") -> Iterator[PostgresServer]:
    """Run a server with one migrated database, ``migrated``, and remove everything afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="etracker-postgres-"))
    server = PostgresServer(directory, password)
    try:
        server.create()
        server.start()
        server.migrate(TEMPLATE)
        yield server
        server.stop()
    finally:
        if server._program.running:
            server.kill()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def cloned_database(server: PostgresServer) -> Iterator[PostgresSettings]:
    """Clone the migrated database; drop the clone afterwards, whoever is still connected."""
    database = f"test_{secrets.token_hex(6)}"
    server.execute(f"CREATE DATABASE {database} TEMPLATE {TEMPLATE} STRATEGY file_copy")  # half of the time
    try:
        yield server.settings(database)
    finally:
        server.execute(f"DROP DATABASE {database} WITH (FORCE)")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []
