"""``make migration`` begins a migration that only has to be filled in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "migrations" / "etracker_migrations"


def test_a_migration_begins_after_the_newest_one(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    before = {path.name for path in (PACKAGE / "versions").glob("*.py")}
    command = [sys.executable, "-m", "etracker_migrations.begin", "torrents_have_a_category"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True)
    (made,) = {path.name for path in (tmp_path / PACKAGE.name / "versions").glob("*.py")} - before
    newest = max(before)[:4]
    assert made == f"{int(newest) + 1:04d}_torrents_have_a_category.py"
    written = (tmp_path / PACKAGE.name / "versions" / made).read_text()
    assert f'down_revision = "{newest}"' in written
    linted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--check", "-"], input=written, text=True, check=False
    )
    assert linted.returncode == 0
