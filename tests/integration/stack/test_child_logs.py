"""A child's output is stored completely, in order and within bounds, and the console shows its errors once."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from etracker_stack.child import Child
from etracker_stack.console import Console
from etracker_stack.disk import DiskWatch
from etracker_stack.errors import ChildError
from etracker_stack.logs import Logs
from etracker_stack.relay import SHOWN_PER_MINUTE, ErrorRelay
from etracker_stack.supervisor import Supervisor

MAX_BYTES = 2**20

LINES = 60_000
WRITER = f"""
import sys
for number in range({LINES}):
    print(f"{{number:06}} " + "x" * 100)
sys.stderr.write("FATAL:  the last words, without an end of line")
sys.exit(3)
"""
COMPLAINER = """
import time
for number in range(40):
    for turn in range(10):
        print('{"level": "error", "event": "something is wrong %d"}' % (number * 10 + turn), flush=True)
    time.sleep(0.02)
"""
MUTE = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 20_000)"


class Children:
    """A supervisor with a log directory, and the lines that its console received."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.heard: list[tuple[str, str]] = []
        self._lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT)
        self.logs = Logs(directory, MAX_BYTES, self._hear)
        self.relay = ErrorRelay(Console(), pause_seconds=0.01)

    def _hear(self, name: str, line: str) -> None:
        self.heard.append((name, line))
        self.relay.take(name, line)

    async def run(self, program: str) -> None:
        supervisor = Supervisor(self.logs, self._lock, Console(), DiskWatch(self.directory, Console()), lambda: None)
        await supervisor.run_once(Child("child", (sys.executable, "-c", program), _is_ready))

    def files(self) -> list[Path]:
        """Return the log's files, oldest first."""
        return sorted(self.directory.glob("child.log*"), reverse=True)

    def close(self) -> None:
        self.logs.close()
        os.close(self._lock)


async def _is_ready(_pid: int) -> bool:
    return True


@pytest.fixture
async def children() -> AsyncIterator[Children]:
    with tempfile.TemporaryDirectory(prefix="etracker-logs-") as directory:
        running = Children(Path(directory))
        yield running
        running.close()


async def test_a_child_that_writes_a_lot_stays_within_its_share_and_its_last_words_are_reported(
    children: Children,
) -> None:
    (children.directory / "child.log.1").write_bytes(b"from a version without a bound" * 100_000)
    with pytest.raises(ChildError, match="FATAL:  the last words, without an end of line"):
        await children.run(WRITER)
    assert [line for _, line in children.heard] == _lines(0)
    kept = b"".join(file.read_bytes() for file in children.files())
    assert MAX_BYTES // 2 < len(kept) <= MAX_BYTES
    lines = kept.decode().splitlines()
    assert lines == _lines(LINES + 1 - len(lines)), "the end is kept, with no line lost, repeated or cut"


def _lines(first: int) -> list[str]:
    numbered = [f"{number:06} " + "x" * 100 for number in range(first, LINES)]
    return [*numbered, "FATAL:  the last words, without an end of line"]


async def test_output_that_is_neither_text_nor_lines_stays_within_bounds_too(children: Children) -> None:
    await children.run(MUTE)
    kept = [file.stat().st_size for file in children.files()]
    assert MAX_BYTES // 4 < sum(kept) <= MAX_BYTES


async def test_the_console_shows_a_bounded_number_of_errors_per_minute(
    children: Children, capsys: pytest.CaptureFixture[str]
) -> None:
    relaying = asyncio.create_task(children.relay.run())
    await children.run(COMPLAINER)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    shown = capsys.readouterr().err.splitlines()
    assert 1 < len(shown) <= SHOWN_PER_MINUTE
    assert all("child: something is wrong" in line for line in shown)
    assert len(children.heard) == 400


async def test_the_output_of_an_earlier_run_is_in_a_separate_file(children: Children) -> None:
    for text in ("first", "second", "third", "fourth", "fifth"):
        await children.run(f"print('{text}')")
    assert [file.read_text() for file in children.files()] == ["second\n", "third\n", "fourth\n", "fifth\n"]
