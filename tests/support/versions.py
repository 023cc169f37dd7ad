"""Earlier versions of the product, from the repository's history."""

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAST_RELEASE = ROOT / "deploy" / "last_release"


def last_release() -> str:
    """Return the commit that is the last release.

    Raises:
        AssertionError: the file that names it is missing, or the repository doesn't have the commit.
    """
    assert LAST_RELEASE.exists(), f"{LAST_RELEASE} is missing: write the commit of the last release into it."
    commit = LAST_RELEASE.read_text().strip()
    _require(commit, "named in deploy/last_release")
    return commit


def previous_commit() -> str:
    """Return the commit before the one that is checked out.

    Raises:
        AssertionError: the repository doesn't have it.
    """
    _require("HEAD~1", "the one before the current")
    return _git("rev-parse", "HEAD~1").decode().strip()


def read_at(commit: str, path: str) -> str:
    """Return a file's text as it was in a commit."""
    return _git("show", f"{commit}:{path}").decode()


def check_out(commit: str, directory: Path) -> None:
    """Write all files of a commit into a directory."""
    _unpack(_git("archive", commit), directory)


def copy_checkout(directory: Path) -> None:
    """Copy this checkout as it is, with uncommitted changes and without ignored files."""
    names = _git("ls-files", "--cached", "--others", "--exclude-standard", "-z").split(b"\0")
    existing = b"\0".join(name for name in names if name and (ROOT / name.decode()).exists())
    packed = subprocess.run(
        ["tar", "-C", str(ROOT), "--null", "--files-from=-", "-c"], input=existing, capture_output=True, check=True
    )
    _unpack(packed.stdout, directory)


def _unpack(archive: bytes, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(directory, filter="data")


def _require(commit: str, what: str) -> None:
    found = subprocess.run(["git", "-C", str(ROOT), "cat-file", "-e", f"{commit}^{{commit}}"], check=False)
    assert found.returncode == 0, (
        f"This clone lacks the commit {commit}, {what}. Tests of upgrades need the history: git fetch --unshallow"
    )


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=True).stdout
