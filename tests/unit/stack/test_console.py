"""What the console says of the processes' errors and of the disk."""

import asyncio
from pathlib import Path

import pytest

from etracker_stack.console import Console
from etracker_stack.data_directory import LEAST_FREE_BYTES
from etracker_stack.disk import FULL_BYTES, DiskWatch
from etracker_stack.relay import ErrorRelay

FULL = 'UTC [{}] FATAL:  could not write lock file "postmaster.pid": No space left on device'


class Disk(DiskWatch):
    """A disk with as much room as a test says."""

    free = 0

    def _free_bytes(self) -> int:
        return self.free


async def test_an_error_that_repeats_itself_is_quoted_once(capfd: pytest.CaptureFixture[str]) -> None:
    relay = ErrorRelay(Console(), pause_seconds=0.001)
    showing = asyncio.create_task(relay.run())
    said = ""
    for number in range(5):
        relay.take("postgres", FULL.format(number))
        relay.take("redis", f"FATAL:  number {number}")  # of a later child: it is shown when Postgres' had its turn
        async with asyncio.timeout(5):
            while f"number {number}" not in said:
                await asyncio.sleep(0.001)
                said += capfd.readouterr().err
    showing.cancel()
    await asyncio.gather(showing, return_exceptions=True)
    assert said.count("No space left on device") == 1


def test_each_change_of_the_disk_is_said_once(capfd: pytest.CaptureFixture[str]) -> None:
    disk = Disk(Path("/data"), Console())
    for disk.free in (LEAST_FREE_BYTES * 2, LEAST_FREE_BYTES - 1, LEAST_FREE_BYTES, FULL_BYTES - 1, FULL_BYTES, 0):
        disk.look()
        disk.look()
    for disk.free in (LEAST_FREE_BYTES - 1, LEAST_FREE_BYTES * 2):
        disk.look()
    lines = capfd.readouterr().err.splitlines()
    assert [line.partition("] ")[2][:12] for line in lines] == [
        "Only 255 MiB",
        "The disk of ",
        "Only 255 MiB",
        "The disk of ",
    ]
    assert lines[-1].endswith("has free space again.")
