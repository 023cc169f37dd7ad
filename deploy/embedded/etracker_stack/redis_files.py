"""Damaged append-only files of Redis: the message about them, and the repair (``make repair-redis``)."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import redis
from redis.exceptions import BusyLoadingError, RedisError

from etracker_shared.plumbing.settings import load_settings
from etracker_stack.console import Console
from etracker_stack.data_directory import DataDirectory
from etracker_stack.errors import StackError
from etracker_stack.ports import free_port
from etracker_stack.programs import redis_program
from etracker_stack.settings import StackSettings

_NEWER = "Can't handle RDB format version"
_CLOSED = "Permission denied"
_DAMAGED = (
    "Bad file format reading the append only file",
    "Unexpected end of file reading the append only file",
    "Unrecoverable error reading the append only file",
    "Unable to obtain the AOF file",
    "Invalid AOF manifest file format",
    "rdb file reading failure",
    "Internal error in RDB reading",
    "Unrecoverable error, aborting now",
)
_POLL_SECONDS = 0.05


def advice(directory: Path, lines: Sequence[str]) -> str | None:
    """Return one sentence on what to do about the last lines of Redis' log; None if they aren't about its files."""
    said = "\n".join(lines)
    if _NEWER in said:
        return (
            f"{append_only_file(directory)} was written by a newer Redis: set ETRACKER_REDIS_SERVER to that version, "
            f"or move {directory} away, which loses the peer lists until clients have rebuilt them."
        )
    if _CLOSED in said:
        return f"this account may not read and write all of {directory}: give it the files with chown -R."
    if any(damage in said for damage in _DAMAGED):
        return f"{append_only_file(directory)} is damaged: run make repair-redis, which keeps a copy, and start again."
    return None


def append_only_file(directory: Path) -> Path:
    """Return the append-only file: the manifest of Redis 7, which has several files, or the single file of Redis 6."""
    manifest = directory / "appendonlydir" / "appendonly.aof.manifest"
    return manifest if manifest.parent.exists() else directory / "appendonly.aof"


def repair(program: Path, directory: Path) -> str:
    """Repair Redis' files so that it can start; return one sentence on what was done.

    Everything after the damage is cut off. If that doesn't help, Redis gets an empty directory. A copy of the damaged
    files is kept.
    """
    if _loads(program, directory):
        return f"Redis can read {append_only_file(directory)}: there is nothing to repair."
    kept = directory.with_name(f"{directory.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    shutil.copytree(directory, kept)
    if _fix(program, append_only_file(directory)) and _loads(program, directory):
        return f"Repaired: everything after the damage was removed. The damaged files are kept in {kept}."
    shutil.rmtree(directory)
    directory.mkdir(mode=0o700)
    return (
        "It can't be repaired, so Redis will start empty: clients rebuild the peer lists with their next announce. "
        f"The damaged files are kept in {kept}."
    )


def _fix(program: Path, file: Path) -> bool:
    """Cut the damage off. A Redis server acts as the checker when it is started under the checker's name."""
    with tempfile.TemporaryDirectory(prefix="etracker-repair-") as scratch:
        checker = Path(scratch) / "redis-check-aof"
        checker.symlink_to(program.resolve())
        return subprocess.run([checker, "--fix", file], input=b"y\n", capture_output=True, check=False).returncode == 0


def _loads(program: Path, directory: Path) -> bool:
    """Return whether a server loads what is in a directory."""
    port = free_port()
    options = ("--bind", "127.0.0.1", "--dir", str(directory), "--save", "", "--appendonly", "yes")
    command = (str(program), "--port", str(port), *options)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while server.poll() is None:
                if _answers(port):
                    return True
                time.sleep(_POLL_SECONDS)
            return False
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    with redis.Redis(port=port) as client:
        try:
            return bool(client.ping())
        except (BusyLoadingError, RedisError):
            return False


def main() -> int:
    """Repair Redis' files in the data directory, while no tracker uses it."""
    console, settings = Console(), load_settings(StackSettings)
    directory = DataDirectory(settings.data_dir)
    try:
        directory.open()
        try:
            console.say(repair(redis_program(settings.redis_server), directory.redis))
        finally:
            directory.close()
    except (StackError, OSError) as error:
        console.complain(f"etracker can't repair Redis' files: {error}")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
