"""A log to replay."""

from pathlib import Path

import pytest

from tests.support.replay import Files, faker, honest


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """The files of a log with a faker and an honest client."""
    made = Files(tmp_path)
    made.write(sorted([*faker(), *honest()], key=lambda fields: fields["time"]))
    return made
