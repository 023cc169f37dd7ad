"""A backup holds the tracker's data, and a restore brings it back."""

import os
import subprocess
import sys

from tests.support.stack import StackRun

DUMP = ("pg_dump", "--format=custom")
RESTORE = ("pg_restore", "--clean", "--if-exists", "--single-transaction", "--dbname", "etracker")


def _run(stack: StackRun, *arguments: str, given: bytes = b"") -> bytes:
    command = [sys.executable, "-m", "etracker_stack.postgres_tools", *arguments]
    variables = {**os.environ, "ETRACKER_DATA_DIR": str(stack.data)}
    done = subprocess.run(command, env=variables, input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_restore_brings_back_what_was_deleted_after_the_backup(stack: StackRun) -> None:
    _run(stack, "psql", "-c", "INSERT INTO infohashes (info_hash, name) VALUES (repeat('x', 20)::bytea, 'saved')")
    backup = _run(stack, *DUMP)
    _run(stack, "psql", "-c", "DELETE FROM infohashes")
    _run(stack, *RESTORE, given=backup)
    assert _run(stack, "psql", "-A", "-t", "-c", "SELECT name FROM infohashes") == b"saved\n"


def test_the_tools_say_that_no_tracker_is_running(tmp_path: os.PathLike[str]) -> None:
    command = [sys.executable, "-m", "etracker_stack.postgres_tools", "psql"]
    variables = {**os.environ, "ETRACKER_DATA_DIR": str(tmp_path)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "No tracker runs on" in done.stderr
