"""The embedded Postgres: a cluster in the data directory, started as our own child."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from etracker_shared.plumbing.settings import PostgresSettings
from etracker_stack.account import postgres_account, reaching
from etracker_stack.child import Child
from etracker_stack.data_directory import DataDirectory
from etracker_stack.errors import DataDirectoryError, UnreachableError
from etracker_stack.postgres_programs import readable_programs
from etracker_stack.supervisor import Supervisor

USER = DATABASE = "etracker"

OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may have only 107 bytes
    "max_connections": "200",
    "shared_buffers": "1GB",  # only address space: unused pages take no memory
    "max_wal_size": "2GB",
    "min_wal_size": "128MB",
    "wal_compression": "off",  # this build has only pglz, which takes ten times as long as writing the whole page
    "checkpoint_timeout": "15min",
    "jit": "off",  # compiling costs more than any of our queries
    "logging_collector": "off",
    "log_error_verbosity": "terse",  # details of errors show values, such as announce keys
    "log_min_error_statement": "panic",
}

LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
"""Sorts by code point, and knows the letters of every script, because searches for names ignore case."""

NOT_DAMAGE = (
    "No space left on device",
    "lock file",
    "could not bind",
    "could not create",
    "shared memory",
    "emory",
    "ermission",
    "ownership",
    "the database system is",
    "terminating",
)
"""Parts of the messages about failed starts that aren't the cluster's fault."""


class EmbeddedPostgres:
    """A cluster in ``directory.postgres``."""

    def __init__(self, directory: DataDirectory, password: str, port: int) -> None:
        self._directory = directory
        self._data = directory.postgres.resolve()
        self._password = password
        self._port = port
        self._programs = readable_programs(directory.postgres_programs)
        self._account = postgres_account()

    def settings(self) -> PostgresSettings:
        """Return its address."""
        return PostgresSettings.model_validate(
            {
                "pghost": "127.0.0.1",
                "pgport": self._port,
                "pgdatabase": DATABASE,
                "pguser": USER,
                "pgpassword": self._password,
            }
        )

    async def start(self, supervisor: Supervisor) -> None:
        """Create the cluster on the first run, start it, and create the database in it.

        Raises:
            DataDirectoryError: the cluster is broken or of another major version.
            ChildError: a program failed.
        """
        if self._data.exists():
            check_version(self._data, _major(self._programs.directory / "postgres"))
        else:
            await self._create(supervisor)
        await supervisor.start(self._child())
        await self._create_database()

    def _child(self) -> Child:
        options = {**OPTIONS, "port": str(self._port)}
        return Child(
            name="postgres",
            command=(
                *(self._programs.directory / "postgres", "-D", self._data),
                *(f"--{name}={value}" for name, value in options.items()),
            ),
            is_ready=self._is_ready,
            account=reaching(self._account, *self._programs.needed, self._data, *_linked_from(self._data)),
            stop_signal=signal.SIGINT,  # a fast shutdown: clients are disconnected, not waited for
            death_signal=signal.SIGINT,
            address=f"127.0.0.1:{self._port}",
            advice=self._advice,
        )

    def _advice(self, lines: Sequence[str]) -> str | None:
        """Return what to do about a cluster that Postgres can't open."""
        reason = start_failure(lines)
        if reason is None or any(sign in reason for sign in NOT_DAMAGE):
            return None
        return (
            f"{self._data} is damaged ({reason}): move it away and restore a backup as docs/operations.md says, "
            "or start from scratch without it."
        )

    async def _create(self, supervisor: Supervisor) -> None:
        """Create the cluster in a temporary directory and move it: a crash in between leaves no incomplete cluster."""
        partial = self._data.with_name("postgres.new")
        password_file = self._data.with_name("postgres.password")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        password_file.unlink(missing_ok=True)
        with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self._password)
        if self._account is not None:
            os.chown(partial, self._account.uid, self._account.gid)
            os.chown(password_file, self._account.uid, self._account.gid)
        try:
            await supervisor.run_once(self._initdb(partial, password_file))
        except UnreachableError:
            partial.rmdir()
            raise
        finally:
            password_file.unlink()
        partial.rename(self._data)

    def _initdb(self, partial: Path, password_file: Path) -> Child:
        options = ("--auth=scram-sha-256", *LOCALE, "--no-instructions")
        return Child(
            name="initdb",
            command=(
                *(
                    self._programs.directory / "initdb",
                    "-D",
                    partial,
                    f"--username={USER}",
                    f"--pwfile={password_file}",
                ),
                *options,
            ),
            is_ready=self._is_ready,
            account=reaching(self._account, *self._programs.needed, partial, password_file),
        )

    async def _is_ready(self, pid: int) -> bool:
        """Check the file to which Postgres writes its process id and its state."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    async def _create_database(self) -> None:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=self._port, user=USER, password=self._password, database="postgres", timeout=30
        )
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()


def check_version(data: Path, ours: int) -> None:
    """Refuse a cluster that our Postgres can't open.

    Raises:
        DataDirectoryError: the cluster is broken, or of another major version.
    """
    try:
        theirs = (data / "PG_VERSION").read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        raise DataDirectoryError(
            f"{data} isn't a Postgres cluster: restore it from a backup, or move it away to start from scratch."
        ) from None
    if theirs != str(ours):
        raise DataDirectoryError(
            f"{data} was made by Postgres {theirs}, and this is Postgres {ours}: move the data with pg_dump "
            "as docs/operations.md says, or set ETRACKER_DATA_DIR to another directory."
        )


def _linked_from(data: Path) -> list[Path]:
    """Return the directories to which an operator moved parts of the cluster."""
    links = (data / "pg_wal", *(data / "pg_tblspc").glob("*"))
    return [link.resolve() for link in links if link.is_symlink() and link.exists()]


def start_failure(lines: Sequence[str]) -> str | None:
    """Return why Postgres ended, from the last lines of its log; sessions end with FATAL too, but earlier."""
    for line in reversed(lines[-12:]):
        if found := re.search(r"(?:FATAL: +|PANIC: +|^postgres: )(.*)", line):
            return found[1][:200].rstrip(".")
    return None


def _major(program: Path) -> int:
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"(\d+)", said)
    if found is None:
        raise RuntimeError(f"{program} doesn't report its version: {said!r}")
    return int(found[1])
