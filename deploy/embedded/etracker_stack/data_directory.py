"""The directory with all data of a tracker; only one run may use it at a time.

==================  ==============================================================
``postgres/``       Postgres' cluster
``programs/``       a copy of Postgres' programs that its account can read, if it can't read the installed ones
``redis/``          Redis' append-only file and its configuration
``gateway/``        the gateway's certificates
``logs/``           the log of each process, and those of earlier runs
``secrets.json``    passwords of Postgres and Redis, generated once
``api_key``         the first operator's API key
``state.json``      the running processes: addresses, process ids; removed by a clean stop
``lock``            held while a run, or any process it started, is alive
==================  ==============================================================
"""

import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from etracker_stack.errors import DataDirectoryError

LEAST_FREE_BYTES = 256 * 1024 * 1024
LOCK_PATIENCE_SECONDS = 3.0


@dataclass(frozen=True)
class Secrets:
    """Passwords that are generated once and kept."""

    postgres_password: str
    redis_password: str


class DataDirectory:
    """An opened data directory; closing it lets another run use it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.postgres = path / "postgres"
        self.postgres_programs = path / "programs"
        self.redis = path / "redis"
        self.gateway = path / "gateway"
        self.logs = path / "logs"
        self.api_key = path / "api_key"
        self._state = path / "state.json"
        self._targets = path / "prometheus_targets.json"
        self._lock: int | None = None

    def open(self) -> None:
        """Create the directory and take its lock.

        Raises:
            DataDirectoryError: it can't be created or written to, the disk is full, or another run uses it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise DataDirectoryError(f"The data directory {self.path} isn't a directory: set ETRACKER_DATA_DIR to one.")
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o711)
            for private in (self.redis, self.gateway, self.logs):
                private.mkdir(exist_ok=True, mode=0o700)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DataDirectoryError(f"The data directory {self.path} can't be used: {error.strerror}.") from None
        self._take_lock(self._lock)
        for left in (self._state, self._targets):  # by a run that was killed
            left.unlink(missing_ok=True)
        if complaint := disk_complaint(self.path, shutil.disk_usage(self.path).free):
            raise DataDirectoryError(complaint)

    @property
    def lock(self) -> int:
        """The locked file: a child that inherits it keeps the directory in use for as long as it lives."""
        if self._lock is None:
            raise RuntimeError("The data directory isn't open.")
        return self._lock

    def close(self) -> None:
        """Remove the state, and let another run use the directory."""
        if self._lock is not None:
            for ended in (self._state, self._targets):
                ended.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def secrets(self) -> Secrets:
        """Read the secrets, or generate them.

        Raises:
            DataDirectoryError: the file isn't one that we wrote.
        """
        path = self.path / "secrets.json"
        if not path.exists():
            made = Secrets(secrets.token_hex(20), secrets.token_hex(20))
            write_private(path, json.dumps(asdict(made), indent=2) + "\n")
            return made
        try:
            kept = dict(json.loads(path.read_text()))
            self._move_api_key(kept, path)
            return Secrets(**kept)
        except (ValueError, TypeError):
            raise DataDirectoryError(
                f"The file {path} is broken: restore it from a backup, or move {self.path} away to start from scratch."
            ) from None

    def _move_api_key(self, kept: dict[str, str], path: Path) -> None:
        """Remove the API key from the secrets, where earlier versions kept it, and return it."""
        if (api_key := kept.pop("api_key", None)) is None:
            return
        if not self.api_key.exists():
            write_private(self.api_key, api_key + "\n")
        write_private(path, json.dumps(kept, indent=2) + "\n")

    def write_state(self, state: Mapping[str, object]) -> None:
        """Write the state of the running processes, for scripts and for people."""
        write_private(self._state, json.dumps(state, indent=2) + "\n")

    def write_targets(self, targets: str) -> None:
        """Write where the running processes have their metrics, which Prometheus may read under another account."""
        write_whole(self._targets, targets, mode=0o644)

    def _take_lock(self, lock: int) -> None:
        deadline = time.monotonic() + LOCK_PATIENCE_SECONDS  # the children of a killed run take a moment to end
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(lock)
                    self._lock = None
                    raise DataDirectoryError(
                        f"Another etracker uses the data directory {self.path}: "
                        "stop it, or set ETRACKER_DATA_DIR and ETRACKER_BACKEND_PORT to other values."
                    ) from None
                time.sleep(0.1)
            else:
                return


def disk_complaint(path: Path, free_bytes: int) -> str | None:
    """Return a message if the disk has too little room to start, otherwise None."""
    if free_bytes >= LEAST_FREE_BYTES:
        return None
    return (
        f"The disk of {path} is full: {free_bytes // 2**20} MiB are free and etracker needs "
        f"at least {LEAST_FREE_BYTES // 2**20} MiB; free some, or set ETRACKER_DATA_DIR to another disk."
    )


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, completely or not at all."""
    write_whole(path, text, mode=0o600)


def write_whole(path: Path, text: str, *, mode: int) -> None:
    """Write a file completely or not at all."""
    partial = path.with_name(f"{path.name}.new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
