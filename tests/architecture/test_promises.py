"""Every numbered line of docs/protocol.md is held by tests, which pytest finds by their marker."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.promises import LEAD

pytestmark = pytest.mark.timeout(300)  # another pytest collects tests

ROOT = Path(__file__).parents[2]
NUMBERED = re.compile(r"^(\d+)\. ", re.MULTILINE)
CLAIMED = re.compile(r"PROTOCOL \d|test_protocol_\d")


def _tests(text: re.Pattern[str]) -> list[str]:
    paths = [path for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]
    return [str(path.relative_to(ROOT)) for path in paths if text.search(path.read_text())]


@pytest.fixture(scope="module")
def held() -> dict[str, list[object]]:
    """What each test in a module with such a marker promises."""
    modules = _tests(re.compile(r"\bpromise\("))
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "tests.support.promises", *modules]
    collected = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert collected.returncode == 0, collected.stdout[-4000:] + collected.stderr
    (told,) = [line for line in collected.stdout.splitlines() if line.startswith(LEAD)]
    found: dict[str, list[object]] = json.loads(told.removeprefix(LEAD))
    return found


@pytest.fixture(scope="module")
def lines() -> list[int]:
    """The numbers in docs/protocol.md, in their order."""
    return [int(number) for number in NUMBERED.findall((ROOT / "docs" / "protocol.md").read_text())]


def test_lines_are_numbered_without_a_gap(lines: list[int]) -> None:
    assert lines == list(range(1, len(lines) + 1))
    assert lines


def test_every_numbered_line_is_held_by_a_test(held: dict[str, list[object]], lines: list[int]) -> None:
    promised = {line for promises in held.values() for line in promises}
    assert not set(lines) - promised


def test_every_marker_names_a_line_that_is_there(held: dict[str, list[object]], lines: list[int]) -> None:
    assert not {test: promises for test, promises in held.items() if set(promises) - set(lines)}


def test_a_promise_is_claimed_by_its_marker_only() -> None:
    """A number in a name or a docstring says what a test should hold, and nothing checks it."""
    assert not _tests(CLAIMED)
