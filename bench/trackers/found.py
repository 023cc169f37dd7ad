"""The trackers that are measured if their programs are on the PATH. This project builds none of them."""

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bench.trackers.aquatic import aquatic
from bench.trackers.chihaya import chihaya
from bench.trackers.go_etracker import PORT, REDIS_PORT, go_etracker
from bench.trackers.mariadb import DatabaseError
from bench.trackers.others import OtherTracker
from bench.trackers.processes import StartError, is_free
from bench.trackers.torrust import torrust
from bench.trackers.unit3d import unit3d
from bench.world import World

Programs: TypeAlias = Mapping[str, Path]
Start: TypeAlias = Callable[[Path, World, Programs], AbstractContextManager[OtherTracker]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tracker that may be on the PATH.

    ``keeps``: what it stores about users. ``programs``: those it needs, each by its possible names, of which ``start``
    gets the path under the first. ``ports``: those that it always uses.
    """

    name: str
    keeps: str
    programs: Sequence[Sequence[str]]
    start: Start
    ports: Sequence[int] = ()


MARIADB = (("mariadbd", "mysqld"), ("mariadb-install-db", "mysql_install_db"), ("mariadb", "mysql"))

CANDIDATES = (
    Candidate("aquatic_http", "nothing", [["aquatic_http"]], aquatic),
    Candidate("chihaya", "nothing", [["chihaya"]], chihaya),
    Candidate("torrust-tracker, private", "keys", [["torrust-tracker"]], torrust),
    Candidate("UNIT3D-Announce, MariaDB", "accounts", [["unit3d-announce"], *MARIADB], unit3d),
    Candidate(
        "Go etracker, Postgres, Redis",
        "accounts",
        [["etracker"], ["redis-server", "valkey-server"]],
        go_etracker,
        (PORT, REDIS_PORT),
    ),
)


@dataclass(frozen=True, slots=True)
class Found:
    """The candidates that can be measured with their programs, and why the others can't."""

    present: Sequence[tuple[Candidate, Programs]]
    missing: Mapping[str, str]


def look_for(candidates: Sequence[Candidate], path: str | None = None) -> Found:
    """Look for the candidates' programs in the directories of ``path``, by default the environment's PATH."""
    present, missing = [], {}
    for candidate in candidates:
        programs = {names[0]: _locate(names, path) for names in candidate.programs}
        lacking = [name for name, place in programs.items() if place is None]
        taken = [str(port) for port in candidate.ports if not is_free(port)]
        if lacking:
            missing[candidate.name] = f"{' and '.join(lacking)} not found on the PATH, not measured"
        elif taken:
            missing[candidate.name] = f"port {' and '.join(taken)} in use, not measured"
        else:
            present.append((candidate, {name: place for name, place in programs.items() if place is not None}))
    return Found(present, missing)


def start_candidate(
    running: ExitStack, candidate: Candidate, work: Path, world: World, programs: Programs
) -> OtherTracker:
    """Start a candidate until the end of ``running``.

    Raises:
        StartError: it didn't start, for example because its settings are those of another version.
    """
    try:
        return running.enter_context(candidate.start(work, world, programs))
    except (DatabaseError, OSError, subprocess.SubprocessError) as error:
        raise StartError(f"{candidate.name}: {error}") from error


def _locate(names: Sequence[str], path: str | None) -> Path | None:
    return next((Path(place) for name in names if (place := shutil.which(name, path=path))), None)
