"""Every promise that docs/protocol.md numbers is held by a test that names its number."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROMISE = re.compile(r"^(\d+)\. ", re.MULTILINE)
NAMED = re.compile(r"PROTOCOL ((?:\d+)(?:(?:, | and )\d+)*)|protocol_(\d+)_")


def test_every_numbered_line_of_the_protocol_has_a_test_that_names_it() -> None:
    promised = {int(number) for number in PROMISE.findall((ROOT / "docs" / "protocol.md").read_text())}
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = {int(number) for match in NAMED.findall(tests) for number in re.findall(r"\d+", "".join(match))}
    assert promised == set(range(1, 34))
    assert promised - named == set()
