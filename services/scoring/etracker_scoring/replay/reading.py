"""Read an announce log: in order of time, without the lines that can't be read."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from etracker_scoring.replay.announces import Announce, AnnounceParser
from etracker_scoring.replay.errors import FileRefusedError, UnreadableLineError, UnsortedLogError
from etracker_scoring.replay.sorting import NumberedLine

DISORDER_MS = 60_000
"""By how much later lines may be earlier. Programs write the lines of concurrent announces in any order."""

MOST_UNREADABLE = 100
"""A file with more unreadable lines than this, and than readable ones, isn't an announce log."""

_NAMED = 10


class LogReader:
    """Reads a log. Afterwards: ``read``, ``unreadable``, ``late`` are numbers of lines.

    ``lines``: with their numbers. ``name``: of the file. ``late``: lines that were further out of order than
    :data:`DISORDER_MS`; ``accepts_late``: they are read, too. ``problems``: the first unreadable lines.
    """

    def __init__(
        self,
        name: str,
        lines: Iterable[NumberedLine],
        parser: AnnounceParser,
        chunk_lines: int = 8192,
        *,
        accepts_late: bool = True,
    ) -> None:
        self._name = name
        self._lines = lines
        self._parser = parser
        self._accepts_late = accepts_late
        self._chunk_lines = chunk_lines
        self.read = self.unreadable = self.late = 0
        self.problems: list[str] = []

    def chunks(self) -> Iterator[list[Announce]]:
        """Yield announces in order of their times, in lists of some thousand.

        Raises:
            FileRefusedError: the file isn't an announce log.
            UnsortedLogError: lines are late, and aren't accepted.
        """
        waiting: list[Announce] = []
        passed = 0
        for chunk in self._parsed():
            self.late += sum(announce.fact.at_ms < passed for announce in chunk)
            if self.late and not self._accepts_late:
                raise UnsortedLogError(f"{self._name} isn't in order of time")
            waiting += chunk
            waiting.sort(key=_at_ms)
            passed = max(passed, waiting[-1].fact.at_ms - DISORDER_MS)
            ready = bisect_left(waiting, passed, key=_at_ms)
            if ready:
                yield waiting[:ready]
                del waiting[:ready]
        if self.unreadable and not self.read:
            self._refuse()
        if waiting:
            yield waiting

    def _parsed(self) -> Iterator[list[Announce]]:
        chunk: list[Announce] = []
        parse, most = self._parser.parse, self._chunk_lines
        for number, line in self._lines:
            try:
                chunk.append(parse(line))
            except UnreadableLineError as error:
                if line.strip():
                    self._skip(number, error, self.read + len(chunk))
            if len(chunk) >= most:
                self.read += len(chunk)
                yield chunk
                chunk = []
        if chunk:
            self.read += len(chunk)
            yield chunk

    def _skip(self, number: int, error: UnreadableLineError, readable: int) -> None:
        self.unreadable += 1
        if len(self.problems) < _NAMED:
            self.problems.append(f"{self._name}, line {number}: {error}")
        if self.unreadable > max(MOST_UNREADABLE, readable):
            self._refuse()

    def _refuse(self) -> None:
        raise FileRefusedError(
            f"{self.problems[0]}; {self.unreadable} lines can't be read, so this isn't an announce log"
        )


def _at_ms(announce: Announce) -> int:
    return announce.fact.at_ms
