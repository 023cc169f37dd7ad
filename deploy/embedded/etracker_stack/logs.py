"""The logs of the children: each child writes to a pipe, and we copy its output to files of limited size."""

import asyncio
import fcntl
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging import LogRecord, makeLogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

OLDER_FILES = 3
READ_BYTES = 65536
LONGEST_LINE_BYTES = 65536
PIPE_BYTES = 2**20
"""Room for the output of a child while we are busy."""

_REMEMBERED_LINES = 50
_DISK_FULL = "No space left on device"


class ChildLog:
    """The log of one child over all its runs: ``<name>.log``, and ``<name>.log.1`` to ``.3`` with older lines.

    ``on_line`` gets every line, without its end.
    """

    def __init__(self, path: Path, max_bytes: int, on_line: Callable[[str], None]) -> None:
        self.path = path
        self._file_bytes = max_bytes // (OLDER_FILES + 1)
        self._file = _File(path, maxBytes=self._file_bytes, backupCount=OLDER_FILES, encoding="latin-1")
        self._on_line = on_line
        self._pipes: dict[int, bytes] = {}
        self._last: deque[str] = deque(maxlen=_REMEMBERED_LINES)

    def begin(self) -> None:
        """Start a new file for a new run of the stack."""
        if self.path.stat().st_size:
            self._file.doRollover()
        for older in self.path.parent.glob(f"{self.path.name}.*"):
            if older.stat().st_size > self._file_bytes:  # written without a limit, or with another one
                older.unlink()

    @contextmanager
    def pipe(self) -> Iterator[int]:
        """Return a descriptor for a child to write to; from then on its output is read."""
        reading, writing = os.pipe()
        self._last.clear()
        try:
            if hasattr(fcntl, "F_SETPIPE_SZ"):
                fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            os.set_blocking(reading, False)
            self._pipes[reading] = b""
            asyncio.get_running_loop().add_reader(reading, self._read, reading)
            yield writing
        finally:
            os.close(writing)

    def last_lines(self) -> list[str]:
        """Return the last lines that a child wrote, without blank ones."""
        self._drain()
        return [line.strip() for line in self._last if line.strip()]

    def ends_on_full_disk(self) -> bool:
        """Return whether the last lines say that the disk is full."""
        return any(_DISK_FULL in line for line in self.last_lines())

    def last_words(self) -> str:
        """Return one sentence about why a child ended, from the end of its output."""
        if self.ends_on_full_disk():
            return "the disk is full."
        lines = self.last_lines()
        fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
        said = (fatal or lines or ["it logged nothing"])[-1]
        return said[-300:].rstrip(".") + "."

    def close(self) -> None:
        """Write the rest and stop reading."""
        self._drain()
        for pipe in list(self._pipes):
            self._end(pipe)
        self._file.close()

    def _drain(self) -> None:
        """Read what is in the pipes; children that have ended have written everything."""
        for pipe in list(self._pipes):
            for _ in range(PIPE_BYTES // READ_BYTES + 1):  # a grandchild may keep writing
                if not self._read(pipe):
                    break

    def _read(self, pipe: int) -> bool:
        try:
            data = os.read(pipe, READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._end(pipe)
            return False
        whole, newline, rest = (self._pipes[pipe] + data).rpartition(b"\n")
        if len(rest) > LONGEST_LINE_BYTES:
            whole, rest = whole + newline + rest, b""
        self._pipes[pipe] = rest
        if whole:
            self._write(whole)
        return True

    def _end(self, pipe: int) -> None:
        asyncio.get_running_loop().remove_reader(pipe)
        os.close(pipe)
        if rest := self._pipes.pop(pipe):
            self._write(rest)

    def _write(self, lines: bytes) -> None:
        self._file.emit(makeLogRecord({"msg": lines.decode("latin-1")}))  # byte for byte
        for line in lines.decode(errors="replace").split("\n"):
            self._last.append(line[-1000:])
            self._on_line(line)


class _File(RotatingFileHandler):
    def handleError(self, record: LogRecord) -> None:  # noqa: N802 - the library's name
        """Drop what can't be written: the disk is full, and the children have to keep running."""


class Logs:
    """The logs of all children, in one directory; each takes at most ``max_bytes``, including older files."""

    def __init__(self, directory: Path, max_bytes: int, on_line: Callable[[str, str], None]) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._on_line = on_line
        self._logs: dict[str, ChildLog] = {}

    def of(self, name: str) -> ChildLog:
        """Return the log of one child."""
        if name not in self._logs:
            path = self._directory / f"{name}.log"
            self._logs[name] = ChildLog(path, self._max_bytes, lambda line: self._on_line(name, line))
        return self._logs[name]

    def close(self) -> None:
        """Write the rest and stop reading."""
        for log in self._logs.values():
            log.close()
