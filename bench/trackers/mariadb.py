"""A MariaDB for trackers that need one, queried through its own client."""

import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.trackers.processes import free_port, running

DATABASE = "tracker"
CREATE = """\
CREATE DATABASE {database};
CREATE USER tracker@'127.0.0.1' IDENTIFIED BY '{password}';
GRANT ALL ON {database}.* TO tracker@'127.0.0.1';
"""


class DatabaseError(Exception):
    """A statement failed."""


@dataclass(frozen=True, slots=True)
class MariaDb:
    """A running MariaDB with one database, whose user is ``tracker``. ``client``: the command that connects to it."""

    pid: int
    port: int
    password: str
    client: tuple[str | Path, ...]

    def query(self, statements: str) -> list[list[str]]:
        """Run statements in the database; return the rows.

        Raises:
            DatabaseError: one failed.
        """
        done = subprocess.run([*self.client, DATABASE], input=statements, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DatabaseError(done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]


@contextmanager
def mariadb(root: Path, programs: Mapping[str, Path]) -> Iterator[MariaDb]:
    """Run a MariaDB with its default settings and its data in ``root``."""
    port, password, socket = free_port(), secrets.token_hex(16), root / "mariadb.sock"
    base = programs["mariadbd"].resolve().parents[1]  # where its language files and system tables are
    place = ["--no-defaults", f"--basedir={base}", f"--datadir={root / 'mariadb'}"]
    owner = ["--user=root"] if os.geteuid() == 0 else []
    install = [*place, *owner, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run([programs["mariadb-install-db"], *install], check=True, capture_output=True)
    listen = [f"--socket={socket}", f"--port={port}", "--bind-address=127.0.0.1"]
    with running([programs["mariadbd"], *place, *owner, *listen], port, root / "mariadb.log") as process:
        connect = ("--no-defaults", f"--socket={socket}", "--user=root", "--batch", "--skip-column-names")
        client = (programs["mariadb"], *connect)
        subprocess.run(client, input=CREATE.format(database=DATABASE, password=password), text=True, check=True)
        yield MariaDb(process.pid, port, password, client)
