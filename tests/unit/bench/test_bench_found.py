"""Other trackers are measured where their programs are installed, and named where they aren't."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bench.trackers.found import CANDIDATES, Candidate, look_for, start_candidate
from bench.trackers.others import OtherTracker
from bench.trackers.processes import StartError
from bench.world import Shape, World


@contextmanager
def idle(_work: Path, _world: World, _programs: Mapping[str, Path]) -> Iterator[OtherTracker]:
    yield OtherTracker("some tracker", 1, {})


def candidate(*programs: tuple[str, ...], ports: tuple[int, ...] = ()) -> Candidate:
    return Candidate("some tracker", "keys", programs, idle, ports)


def install(directory: Path, *names: str) -> None:
    for name in names:
        (directory / name).touch(0o755)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_tracker_on_the_path_is_measured_with_its_programs(tmp_path: Path) -> None:
    install(tmp_path, "tracker", "mysqld")
    wanted = candidate(("tracker",), ("mariadbd", "mysqld"))
    found = look_for([wanted], str(tmp_path))
    assert found.present == [(wanted, {"tracker": tmp_path / "tracker", "mariadbd": tmp_path / "mysqld"})]
    assert not found.missing


def test_what_a_tracker_lacks_is_named(tmp_path: Path) -> None:
    install(tmp_path, "tracker")
    found = look_for([candidate(("tracker",), ("mariadbd", "mysqld"), ("mariadb",))], str(tmp_path))
    assert not found.present
    assert found.missing == {"some tracker": "mariadbd and mariadb not found on the PATH, not measured"}


def test_a_tracker_whose_fixed_port_is_taken_is_not_measured(tmp_path: Path, taken_port: int) -> None:
    install(tmp_path, "tracker")
    found = look_for([candidate(("tracker",), ports=(taken_port,))], str(tmp_path))
    assert found.missing == {"some tracker": f"port {taken_port} in use, not measured"}


@pytest.mark.parametrize(
    ("script", "why"), [("exit 3", "ended with 3"), ("echo unknown setting >&2; exit 1", "unknown setting")]
)
def test_a_tracker_that_does_not_start_says_why(tmp_path: Path, script: str, why: str) -> None:
    program = tmp_path / "chihaya"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    [(wanted, programs)] = look_for(CANDIDATES, str(tmp_path)).present
    with ExitStack() as running, pytest.raises(StartError, match=why):
        start_candidate(running, wanted, tmp_path, World(Shape("some", 20, 2)), programs)


def test_a_program_that_can_not_be_run_is_a_tracker_that_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "chihaya").write_text("#!/nowhere/interpreter\n")
    (tmp_path / "chihaya").chmod(0o755)
    [(wanted, programs)] = look_for(CANDIDATES, str(tmp_path)).present
    with ExitStack() as running, pytest.raises(StartError, match="chihaya"):
        start_candidate(running, wanted, tmp_path, World(Shape("some", 20, 2)), programs)


def test_every_tracker_is_looked_for_on_the_path_that_is_given(tmp_path: Path) -> None:
    missing = look_for(CANDIDATES, str(tmp_path)).missing
    assert list(missing) == [
        "aquatic_http",
        "chihaya",
        "torrust-tracker, private",
        "UNIT3D-Announce, MariaDB",
        "Go etracker, Postgres, Redis",
    ]
    assert all("not found on the PATH" in why for why in missing.values())
