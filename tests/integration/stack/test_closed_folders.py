"""As root, the tracker runs from folders that only root may enter, with files that only root may read.

The kind of fault: Postgres runs under another account, which may not be able to reach its programs, its data, or both.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import psutil
import pytest

from etracker_stack.account import postgres_account
from etracker_stack.postgres_programs import packaged_programs
from tests.support.stack import StackRun

pytestmark = pytest.mark.timeout(180)

IN_MOST_CONTAINERS = "-sys_admin,-dac_read_search"
IN_BARE_CONTAINERS = "-sys_admin,-dac_read_search,-dac_override"


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory like root's home: closed, with closed directories and a secret in it."""
    with tempfile.TemporaryDirectory(prefix="etracker-home-") as directory:
        home = Path(directory)  # mkdtemp makes it 0700
        (home / "private").write_text("for root only")
        (home / "private").chmod(0o644)
        (home / "srv").mkdir(mode=0o700)
        yield home


def _installed_privately(home: Path) -> str:
    """Install Postgres' programs again, as ``umask 077`` would; return the PYTHONPATH that leads to them."""
    programs = packaged_programs().copied_to(home / "srv" / "site")
    package = programs.directory.parents[1]
    (package / "__init__.py").touch()
    for path in (programs.site, *programs.site.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)
    return str(programs.site)


def _run_in(home: Path, python_path: str, *, without: str | None = None) -> StackRun:
    dropped = () if without is None or os.geteuid() != 0 else ("setpriv", f"--bounding-set={without}")
    return StackRun(home / "srv" / "data", {"PYTHONPATH": python_path}, command_prefix=dropped)


def _as_postgres(pid: int, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command with the account and the view of the filesystem that a process has."""
    owner = postgres_account()
    enter = ["nsenter", "-t", str(pid), "-m", "-S", str(owner.uid), "-G", str(owner.gid)] if owner else []
    return subprocess.run([*enter, *command], check=False, capture_output=True, text=True)


def _tool(run: StackRun, *arguments: str, given: bytes = b"", module: str = "etracker_stack.postgres_tools") -> bytes:
    command = [sys.executable, "-m", module, *arguments]
    variables = {**os.environ, "ETRACKER_DATA_DIR": str(run.data)}
    return subprocess.run(command, env=variables, input=given, check=True, capture_output=True).stdout


def _serve_and_stop(run: StackRun, capabilities: Sequence[str]) -> None:
    assert httpx.get(f"{run.base_url}/api/stats").status_code == 200
    postgres = psutil.Process(run.pids()["postgres"])
    if owner := postgres_account():
        assert postgres.uids().real == owner.uid
        status = Path(f"/proc/{postgres.pid}/status").read_text()
        assert [line.split()[1] for line in status.splitlines() if line.startswith("CapEff")] == list(capabilities)
    assert run.stop() == 0


def test_postgres_runs_from_closed_directories_without_opening_them_to_others(home: Path) -> None:
    before = {path: path.stat().st_mode for path in (home, home / "private", home / "srv")}
    python_path = _installed_privately(home)
    first = _run_in(home, python_path)
    first.start()
    dump = _tool(first, "pg_dump", "--format=custom")
    _tool(first, given=dump, module="etracker_stack.restore")
    assert _tool(first, "psql", "-A", "-t", "-c", "SHOW server_encoding") == b"UTF8\n"
    if os.geteuid() == 0:
        postgres = first.pids()["postgres"]
        assert _as_postgres(postgres, "cat", str(first.data / "postgres" / "PG_VERSION")).stdout.strip() == "18"
        assert "for root only" not in _as_postgres(postgres, "cat", str(home / "private")).stdout
        assert _as_postgres(postgres, "cat", str(first.data / "secrets.json")).returncode != 0
    assert {path: path.stat().st_mode for path in before} == before
    _serve_and_stop(first, ["0000000000000000"])

    in_a_container = _run_in(home, python_path, without=IN_MOST_CONTAINERS)
    in_a_container.start()
    _serve_and_stop(in_a_container, ["0000000000000002"])


def test_if_nothing_helps_a_sentence_names_the_directory_and_the_remedy(home: Path) -> None:
    run = _run_in(home, _installed_privately(home), without=IN_BARE_CONTAINERS)
    if os.geteuid() != 0:  # Postgres runs under our own account, and needs no help
        run.start()
        _serve_and_stop(run, [])
        return
    for _ in range(2):  # the first run leaves nothing behind that makes the second one fail
        assert f"may not enter {home}: run etracker as an ordinary user, or move" in run.refusal()
