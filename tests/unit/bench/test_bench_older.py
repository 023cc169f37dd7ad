"""An older commit runs from a copy of its files."""

import subprocess
from pathlib import Path

import pytest

from bench.older import check_out, short_name


def git(repository: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    path.mkdir()
    git(path, "init", "--quiet")
    for text in ("old", "new"):
        (path / "code").write_text(text)
        git(path, "add", "code")
        git(path, "commit", "--quiet", "--message", text)
    return path


def test_an_older_commit_is_copied_and_the_checkout_stays_as_it_is(repository: Path, tmp_path: Path) -> None:
    copy = check_out("HEAD^", tmp_path / "copy", repository)
    assert (copy / "code").read_text() == "old"
    assert (repository / "code").read_text() == "new"
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "worktree", "list").count("\n") == 0


def test_a_commit_is_named_by_its_short_hash(repository: Path) -> None:
    assert git(repository, "rev-parse", "HEAD^").startswith(short_name("HEAD^", repository))


def test_a_commit_that_does_not_exist_is_refused(repository: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        short_name("nothing", repository)
