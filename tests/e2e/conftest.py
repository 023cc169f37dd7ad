"""Fixtures of the end-to-end tests: a tracker and real clients, in a network namespace."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import netns
from tests.support.room import Room
from tests.support.stack import StackRun, running_stack
from tests.support.tracker import Tracker

_SETTINGS = {"ETRACKER_KEY_LIMIT": "1000/hour"}  # all tests use the same few addresses


@pytest.fixture(scope="session")
def namespace() -> None:
    """Make sure that clients can have their own addresses."""
    if not netns.inside():
        pytest.fail(f"end-to-end tests run in a network namespace: {netns.USAGE} python -m pytest tests/e2e")


@pytest.fixture(scope="session")
def stack(namespace: None) -> Iterator[StackRun]:
    """The whole tracker, with its gateway listening on every address of the namespace."""
    with running_stack(_SETTINGS, host="") as stack:
        yield stack


@pytest.fixture
def tracker(stack: StackRun) -> Iterator[Tracker]:
    """The tracker as its users see it. Its logs are printed if the test fails."""
    yield Tracker.of(stack)
    sys.stdout.write(stack.logs())


@pytest.fixture
def room(tracker: Tracker) -> Iterator[Room]:
    """The directory for this test's clients. Its path is short, because clients create Unix sockets there."""
    directory = Path(tempfile.mkdtemp(prefix="etracker-e2e-"))
    room = Room(directory, tracker)
    yield room
    room.close()
    shutil.rmtree(directory, ignore_errors=True)
