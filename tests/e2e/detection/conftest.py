"""A tracker that acts on what it finds, in the network namespace of the end-to-end tests."""

from collections.abc import Iterator

import pytest

from tests.support.stack import StackRun, running_stack

# Clients announce again at once when their user asks for it.
_SETTINGS = {
    "ETRACKER_DETECTION": "enforce",
    "ETRACKER_KEY_LIMIT": "1000/hour",
    "ETRACKER_MIN_INTERVAL_SECONDS": "1",
    "ETRACKER_BUDGET_BURST": "0",
}


@pytest.fixture(scope="session")
def stack(namespace: None) -> Iterator[StackRun]:
    """The whole tracker, with its gateway listening on every address of the namespace."""
    with running_stack(_SETTINGS, host="") as stack:
        yield stack
