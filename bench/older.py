"""The code of an older commit, to measure it in the same run."""

import shutil
import subprocess
from pathlib import Path

from bench.trackers.processes import StartError

ROOT = Path(__file__).parents[1]


def short_name(commit: str, repository: Path = ROOT) -> str:
    """Return a commit's abbreviated hash.

    Raises:
        CalledProcessError: there is no such commit.
    """
    command = [_program("git"), "rev-parse", "--verify", "--short", f"{commit}^{{commit}}"]
    return subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True).stdout.strip()


def check_out(commit: str, directory: Path, repository: Path = ROOT) -> Path:
    """Write a commit's files into a new directory, of which Git keeps no record, and return the directory."""
    directory.mkdir()
    archive = subprocess.run(
        [_program("git"), "archive", commit], cwd=repository, check=True, capture_output=True
    ).stdout
    subprocess.run([_program("tar"), "-xf", "-"], cwd=directory, input=archive, check=True)
    return directory


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise StartError(f"{name} is missing")
    return found
