"""The product's containers, as an operator starts them from a checkout."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from scripts.compose_settings import ComposeSettings
from tests.support.engine.place import Place
from tests.support.load import Session
from tests.support.processes import wait_until

BUILD_SECONDS = 1800.0
PASSWORDS = {"PGPASSWORD": "of-postgres", "ETRACKER_REDIS": "of-redis"}
API_KEY = "the-key-of-the-first-operator"

_MAKE_SESSIONS = """
INSERT INTO peers (announce_key) SELECT lpad(to_hex(n), 30, '0') FROM generate_series({first}, {last}) n;
INSERT INTO infohashes (info_hash)
    SELECT decode(lpad(to_hex(n), 40, '0'), 'hex') FROM generate_series({first}, {last}) n
"""


class Product:
    """One version of the installation in ``directory``, and the installation's containers.

    ``source`` has the version's files, which are installed when a command of this version runs, as by ``git checkout``.
    """

    def __init__(self, place: Place, source: Path, settings: Mapping[str, str]) -> None:
        self.place = place
        self.directory = place.path / "etracker"
        self._source = source
        self._settings = dict(settings)
        self._installed = place.path / "installed"

    def configure(self, **settings: str) -> None:
        """Write .env as an operator does: the example, with these settings changed."""
        self._settings |= settings
        lines = (self._source / ".env.example").read_text().splitlines()
        kept = [line for line in lines if line.partition("=")[0] not in self._settings]
        kept += [f"{name}={value}" for name, value in self._settings.items()]
        (self._source / ".env").write_text("\n".join(kept) + "\n")
        self._installed.unlink(missing_ok=True)

    def _install(self) -> None:
        if self._installed.exists() and self._installed.read_text() == str(self._source):
            return
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.copytree(self._source, self.directory)
        self._installed.write_text(str(self._source))

    def run(self, *command: str, check: bool = True, seconds: float = 300.0, text: str | None = None) -> str:
        """Run a program in the installation, where ``docker`` is the engine's, and return all that it wrote.

        Raises:
            AssertionError: it failed, and ``check`` is set.
        """
        done = self.finish(*command, seconds=seconds, text=text)
        assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stdout[-6000:]}"
        return done.stdout

    def finish(
        self, *command: str, seconds: float = 300.0, text: str | None = None, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the installation and return how it ended, standard error in its output."""
        self._install()
        sys.stdout.write(f"$ {' '.join(command)[:200]}\n")
        done = subprocess.run(
            command,
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            input=text,
            text=True,
            timeout=seconds,
            check=False,
            env={**os.environ, "COMPOSE_PROGRESS": "plain", **(variables or {})},
        )
        sys.stdout.write(done.stdout[-3000:])
        return done

    def compose(self, *arguments: str, check: bool = True, seconds: float = 300.0) -> str:
        """Run docker compose."""
        return self.run("docker", "compose", *arguments, check=check, seconds=seconds)

    def build(self) -> None:
        """Build the images."""
        self.compose("build", seconds=BUILD_SECONDS)

    def up(self, *arguments: str, seconds: float = 300.0) -> None:
        """Start everything, as the documentation says, and wait until it is healthy."""
        self.compose("up", "-d", "--wait", *arguments, "etracker", seconds=seconds)

    def remove(self) -> None:
        """Remove the containers and their data."""
        self.compose("down", "--volumes", "--timeout", "5", check=False)

    def containers(self, service: str) -> list[dict[str, Any]]:
        """Return what the engine knows of a service's containers."""
        ids = self.compose("ps", "--all", "--quiet", service).split()
        return list(json.loads(self.run("docker", "inspect", *ids))) if ids else []

    def started_at(self) -> dict[str, list[str]]:
        """Return since when each service's containers have been running: a change means a replaced container."""
        services = self.compose("config", "--services").split()
        return {name: [one["State"]["StartedAt"] for one in self.containers(name)] for name in services}

    def kill(self, service: str) -> None:
        """Kill the first process of a service's only container, as ``kill -9`` on the machine does."""
        (container,) = self.containers(service)
        before = container["State"]["StartedAt"]
        kill = f"kill -9 {container['State']['Pid']}"  # the number in the engine's process namespace
        self.run("docker", "run", "--rm", "--pid", "host", "--entrypoint", "sh", container["Image"], "-c", kill)
        wait_until(lambda: self._is_back(service, before), f"{service} is back", 60, 0.2)

    def _is_back(self, service: str, before: str) -> bool:
        (container,) = self.containers(service)
        state = container["State"]
        healthy = state.get("Health", {"Status": "healthy"})["Status"] == "healthy"
        return bool(state["Running"] and healthy and state["StartedAt"] != before)

    def sql(self, statement: str) -> str:
        """Run SQL with psql in Postgres' container and return the rows, unaligned."""
        options = ["-v", "ON_ERROR_STOP=1", "-qAtX", "-U", "etracker", "-d", "etracker", "-c", statement]
        return self.compose("exec", "-T", "postgres", "psql", *options).strip()

    def remove_volume(self, name: str) -> None:
        """Remove a volume, whose containers have been removed."""
        project = json.loads(self.compose("config", "--format", "json"))["name"]
        self.run("docker", "volume", "rm", f"{project}_{name}")

    @property
    def version(self) -> str:
        """What the images are tagged with."""
        return self._settings.get("ETRACKER_VERSION", ComposeSettings().version)

    @property
    def url(self) -> str:
        """The address of the gateway, without a path."""
        return f"http://{self.place.tracker}:{self.place.port}"

    def get(self, path: str) -> httpx.Response:
        """Get a path from the gateway as an operator."""
        return httpx.get(f"{self.url}{path}", headers={"Authorization": API_KEY}, trust_env=False, timeout=20)

    def sessions(self, count: int, *, first: int) -> Sequence[Session]:
        """Register keys and infohashes with SQL, from number ``first`` on, and return a session of each pair."""
        numbers = range(first, first + count)
        self.sql(_MAKE_SESSIONS.format(first=first, last=first + count - 1))
        return [
            Session(f"{number:030x}", number.to_bytes(20, "big"), f"-ET0001-{number:012d}".encode(), 10_000 + number)
            for number in numbers
        ]

    def credited(self, sessions: Sequence[Session]) -> int:
        """Return the bytes uploaded that these sessions' keys are credited with."""
        keys = ", ".join(f"hash_announce_key('{session.key}')" for session in sessions)
        return int(self.sql(f"SELECT coalesce(sum(uploaded), 0) FROM peers WHERE key_hash IN ({keys})"))
