"""The short form of ``make equilibrium-real``: one pair of runs with real clients of limited bandwidth."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.full
@pytest.mark.timeout(900)
def test_real_free_riders_wait_longer_than_real_contributors_and_nobody_is_stranded(tmp_path: Path) -> None:
    output = tmp_path / "equilibrium-real.json"
    command = [sys.executable, "-m", "lab.real", "--runs", "1", "--policies", "random", "equilibrium"]
    ended = subprocess.run([*command, "--output", str(output)], check=False, capture_output=True, text=True)
    assert output.exists(), ended.stderr[-3000:]
    summary = json.loads(output.read_text())["summary"]
    assert summary["random"]["stranded"] == summary["equilibrium"]["stranded"] == 0
    assert summary["equilibrium"]["over_random"] > 1.2, summary
