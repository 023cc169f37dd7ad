"""The whole tracker for a test: ``python -m etracker_stack`` with its own directory and ports."""

import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.processes import Program, free_ports, wait_until

READY_SECONDS = 90.0


class StackRun:
    """One run of the stack; a second ``start`` finds the data of the first."""

    def __init__(
        self,
        data: Path,
        environment: Mapping[str, str] | None = None,
        *,
        host: str = "127.0.0.1",
        command_prefix: Sequence[str] = (),
        disk_mebibytes: int | None = None,
    ) -> None:
        """Take where to keep the data and what to tell the stack.

        ``host`` is where the gateway and announce's public port listen; with an empty one they listen on every
        interface, IPv4 and IPv6. ``command_prefix`` goes before the command, for
        example ``("ip", "netns", "exec", "tracker")`` for a network namespace, where ``host`` must exist.
        ``disk_mebibytes`` makes the data directory's parent a disk of that size, which only the stack sees, and which
        is gone when it ends.
        """
        self.data = data
        self._own_disk = disk_mebibytes is not None
        if disk_mebibytes is not None:
            command_prefix = (*command_prefix, *on_a_small_disk(data.parent, disk_mebibytes))
        data.parent.mkdir(parents=True, exist_ok=True)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ETRACKER_", "PG"))}
        backend_port, announce_port = free_ports(2)
        chosen = {
            "ETRACKER_DATA_DIR": str(data),
            "ETRACKER_BACKEND_PORT": str(backend_port),
            "ETRACKER_LISTEN_HOST": host,
            "ETRACKER_ANNOUNCE_HOST": host,
            "ETRACKER_ANNOUNCE_PORT": str(announce_port),
            **(environment or {}),
        }
        self.program = Program(
            [*command_prefix, sys.executable, "-m", "etracker_stack"],
            log=(data.parent.parent if self._own_disk else data.parent) / f"{data.name}-{secrets.token_hex(3)}.log",
            environment={**inherited, **chosen},
            stop_signal=signal.SIGINT,
        )

    @property
    def files(self) -> Path:
        """The data directory, wherever it is mounted."""
        if self._own_disk and self.program.running:
            return Path(f"/proc/{self.program.pid}/root") / self.data.relative_to("/")
        return self.data

    def start(self) -> None:
        """Start it and wait until it serves."""
        (self.data / "state.json").unlink(missing_ok=True)  # left by a run that was killed
        self.program.start()
        self.program.wait_until(lambda: bool(self.state().get("ready")), "the stack serves", READY_SECONDS)

    def stop(self) -> int:
        """Stop it as Ctrl-C does and return its exit status."""
        return self.program.stop(seconds=60.0)

    def refusal(self) -> str:
        """Start it where it can't run, and return the sentence that says why."""
        self.program.start()
        assert self.program.wait(60.0) != 0
        assert "Traceback" not in self.output
        return [line for line in self.output.splitlines() if "etracker" in line][-1]

    def processes(self) -> list[psutil.Process]:
        """Return every process that was started for this data directory and is still running."""
        return [one for one in psutil.process_iter() if _serves(one, self.data)]

    @property
    def output(self) -> str:
        """The output on the console."""
        return self.program.output

    @property
    def base_url(self) -> str:
        """The gateway's address, without a path."""
        return f"http://{self.state()['gateway']}"

    @property
    def api_key(self) -> str:
        return str(self.state()["api_key"])

    @property
    def announce_address(self) -> str:
        """The ``host:port`` of announce's public port."""
        return str(self.state()["announce"])

    @property
    def announce_addresses(self) -> list[str]:
        """The ``host:port`` on which the gateway reaches announce, one per replica."""
        processes = self.state()["processes"]
        return [process["address"] for name, process in processes.items() if name.startswith("announce-")]

    def url_of(self, name: str) -> str:
        """Return the address of one process, for example ``admin_api``."""
        return f"http://{self.state()['processes'][name]['address']}"

    def observation_url_of(self, name: str) -> str:
        """Return where a process has its health and metrics."""
        return f"http://{self.state()['processes'][name]['observation']}"

    def pids(self) -> dict[str, int]:
        """Return the current process ids by name."""
        return {name: int(process["pid"]) for name, process in self.state().get("processes", {}).items()}

    def postgres_settings(self) -> PostgresSettings:
        return PostgresSettings.model_validate({name.lower(): value for name, value in self._servers("PG").items()})

    def redis_settings(self) -> RedisSettings:
        redis = {name.removeprefix("ETRACKER_").lower(): value for name, value in self._servers("ETRACKER_").items()}
        return RedisSettings.model_validate(redis)

    def kill(self, name: str) -> int:
        """Kill one process as ``kill -9`` does and return the id it had."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_for_new(self, name: str, old_pid: int, seconds: float = 30.0) -> None:
        """Wait until the stack says that a killed process is back."""
        wait_until(lambda: self.pids().get(name, old_pid) != old_pid, f"{name} restarted", seconds)
        self.program.wait_until(lambda: f"{name} is back" in self.output, f"{name} is back", seconds)

    def logs(self) -> str:
        """Return the end of every log of this run, for a failure's report."""
        logs = sorted((self.files / "logs").glob("*.log"))
        texts = [f"--- {log.name}\n{log.read_text(errors='replace')[-8000:]}" for log in logs]
        return "\n".join([f"--- console\n{self.output}", *texts])

    def log_lines(self) -> Iterator[str]:
        """Yield every line that any process of this run logged, and the console showed."""
        yield from self.output.splitlines()
        for path in sorted((self.files / "logs").glob("*.log*")):
            with path.open(errors="replace") as log:
                yield from log

    def state(self) -> dict[str, Any]:
        """Return the stack's own description of its state; empty until it has written one."""
        try:
            state = json.loads((self.files / "state.json").read_text())
        except FileNotFoundError:
            return {}
        return dict(state)

    def _servers(self, prefix: str) -> dict[str, str]:
        return {name: value for name, value in self.state()["servers"].items() if name.startswith(prefix)}


def _serves(process: psutil.Process, data: Path) -> bool:
    """Return whether a process holds the lock of a data directory, as every process of its tracker does."""
    try:
        held = [file.readlink() for file in Path(f"/proc/{process.pid}/fd").iterdir()]
        return data.resolve() / "lock" in held and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, psutil.Error):  # it has ended, or belongs to another account
        return False


def on_a_small_disk(directory: Path, mebibytes: int) -> list[str]:
    """Return a command prefix that makes ``directory`` a separate disk for the command, which is gone when it ends."""
    as_user = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    mount = f'mount -t tmpfs -o size={mebibytes}m,mode=711 tmpfs "$0" && exec "$@"'
    return ["unshare", *as_user, "--mount", "sh", "-c", mount, str(directory)]


@contextmanager
def running_stack(
    environment: Mapping[str, str] | None = None,
    *,
    host: str = "127.0.0.1",
    command_prefix: Sequence[str] = (),
    disk_mebibytes: int | None = None,
) -> Iterator[StackRun]:
    """Run the whole tracker; on a failure print every log; afterwards stop it and remove its data."""
    directory = Path(tempfile.mkdtemp(prefix="etracker-stack-"))
    directory.chmod(0o711)
    data = directory / "data" if disk_mebibytes is None else directory / "disk" / "data"
    run = StackRun(data, environment, host=host, command_prefix=command_prefix, disk_mebibytes=disk_mebibytes)
    try:
        run.start()
        yield run
    except BaseException:
        sys.stderr.write(run.logs())
        raise
    finally:
        if run.program.running:
            run.program.stop(seconds=60.0)
        shutil.rmtree(directory, ignore_errors=True)
