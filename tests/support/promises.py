"""A pytest plugin that prints which tests verify which numbered lines of docs/protocol.md."""

import json

import pytest

LEAD = "promises: "


def pytest_collection_finish(session: pytest.Session) -> None:
    """Print the arguments of ``promise`` by test, without tests that only ``make test-full`` runs."""
    held: dict[str, list[object]] = {}
    for item in session.items:
        if item.get_closest_marker("full") is None:
            lines = [line for marker in item.iter_markers("promise") for line in marker.args or [None]]
            held.setdefault(item.nodeid.partition("[")[0], []).extend(lines)
    print(f"\n{LEAD}{json.dumps(held)}")  # noqa: T201 - whoever collects reads it from the output
