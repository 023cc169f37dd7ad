"""Announces that share a round trip: their scripts and facts are sent in one write.

While a batch is on its way, the next one is gathered, and batches start at least a few milliseconds apart. Under load,
many announces thus share the fixed cost of a batch: two system calls here, one iteration of Redis' event loop and one
write to its append-only file. An announce that arrives alone is sent at once.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from etracker_announce.adapters.swarms.commands import Command, Commands, add_facts
from etracker_announce.adapters.swarms.server import Refusal, Reply, Server, execute_scripts, is_out_of_memory
from etracker_announce.ports import SwarmsFullError, SwarmsUnavailableError

MAX_WAITING = 10_000
MAX_BATCH = 256
GATHER_SECONDS = 0.003
"""Time between two batches. Clients don't notice it: they announce every half hour."""
MAX_NOTES = 10_000
"""Notes that wait for a batch; beyond that they are lost."""
NOTES_SECONDS = 1.0
"""Notes wait no longer than this for an announce to travel with."""
MAX_ENTRY_FACTS = 32
"""The most facts in one stream entry: more than a few KiB would keep Redis busy with one entry and gain nothing."""


@dataclass(slots=True, eq=False)
class _Announce:
    """A step's command, its packed fact, and the future of the caller that waits for both."""

    command: Command
    shard: int
    fact: bytes | None
    answer: asyncio.Future[list[bytes]]
    question: Command | None = None
    """Another command, whose reply is wanted along with the step's."""
    reply: Reply = None


_Entry = list[_Announce]
"""Announces whose facts are one entry of the stream."""


class Batches:
    """Gather concurrent announces and send them together, one batch at a time."""

    def __init__(
        self,
        server: Server,
        commands: Commands,
        on_batch: Callable[[int], None],
        stream_is_full: Callable[[], bool],
    ) -> None:
        self._server = server
        self._commands = commands
        self._stream_is_full = stream_is_full
        self._on_batch = on_batch
        self._waiting: deque[_Announce] = deque()
        self._notes: deque[Command] = deque(maxlen=MAX_NOTES)
        self._sending: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._next_batch = 0.0

    def add(self, note: Command) -> None:
        """Send a command with the next batch, or within a second. Its reply is ignored; it may be lost."""
        self._notes.append(note)
        if self._sending is None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(NOTES_SECONDS, self._send_notes)

    def close(self) -> None:
        """Forget the notes that wait."""
        self._notes.clear()
        if self._timer is not None:
            self._timer.cancel()

    async def announce(
        self, command: Command, shard: int, fact: bytes | None, question: Command | None = None
    ) -> tuple[list[bytes], Reply]:
        """Return the replies of the script and of ``question`` once the script and the fact are acknowledged.

        Raises:
            SwarmsUnavailableError: one of the two wasn't acknowledged, or too many announces are waiting already.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise SwarmsUnavailableError(f"{MAX_WAITING} announces wait for Redis already.")
        answer: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
        waiting = _Announce(command, shard, fact, answer, question)
        self._waiting.append(waiting)
        if self._sending is None:
            self._begin()
        return await answer, waiting.reply

    def _send_notes(self) -> None:
        self._timer = None
        if self._sending is None and self._notes:
            self._begin()

    def _begin(self) -> None:
        self._sending = asyncio.create_task(self._send_all(), name="announce batches")

    async def _send_all(self) -> None:
        try:
            while self._waiting or self._notes:
                await self._gather()
                batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
                if batch:
                    self._on_batch(len(batch))
                await self._send(batch)
        finally:
            self._sending = None

    async def _gather(self) -> None:
        clock = asyncio.get_running_loop().time
        if len(self._waiting) < MAX_BATCH and (pause := self._next_batch - clock()) > 0:
            await asyncio.sleep(pause)
        self._next_batch = clock() + GATHER_SECONDS

    async def _send(self, batch: Sequence[_Announce]) -> None:
        entries = _entries(batch)
        commands = [announce.command for announce in batch]
        commands += [add_facts(entry[0].shard, _facts(entry)) for entry in entries]
        asking = [announce for announce in batch if announce.question is not None]
        commands += [announce.question for announce in asking if announce.question is not None]
        commands += self._take_notes()
        try:
            replies = await execute_scripts(self._server, commands)
            steps = dict(zip(batch, replies, strict=False))
            written = await self._write_to_full(list(zip(entries, replies[len(batch) :], strict=False)), steps)
        except SwarmsUnavailableError as error:
            _fail_all(batch, str(error))
            return
        except BaseException:
            _fail_all(batch, "The round trip was interrupted.")
            raise
        for entry, reply in written:
            if isinstance(reply, Refusal):
                _fail_all(entry, f"Redis refused the fact: {reply}", _error_of(reply))
        for announce, reply in zip(asking, replies[len(batch) + len(entries) :], strict=False):
            announce.reply = reply
        for announce, reply in steps.items():
            _resolve(announce, reply)

    def _take_notes(self) -> list[Command]:
        return [self._notes.popleft() for _ in range(min(MAX_BATCH, len(self._notes)))]

    async def _write_to_full(
        self, written: list[tuple[_Entry, Reply]], steps: Mapping[_Announce, Reply]
    ) -> list[tuple[_Entry, Reply]]:
        """Write facts that a full Redis refused although it accepted their steps, unless the stream is too long."""
        refused = [entry for entry, reply in written if is_out_of_memory(reply)]
        if not refused or self._stream_is_full():
            return written
        stepped = [announce for entry in refused for announce in entry if not isinstance(steps[announce], Refusal)]
        entries = _entries(stepped)
        replies = await execute_scripts(
            self._server, [self._commands.add_to_full(entry[0].shard, _facts(entry)) for entry in entries]
        )
        others = [(entry, reply) for entry, reply in written if not is_out_of_memory(reply)]
        return [*others, *zip(entries, replies, strict=True)]


def _entries(batch: Iterable[_Announce]) -> list[_Entry]:
    """Group the announces that have a fact into stream entries, by shard."""
    open_entries: dict[int, list[_Announce]] = {}
    entries: list[_Entry] = []
    for announce in batch:
        if announce.fact is None:
            continue
        entry = open_entries.get(announce.shard)
        if entry is None or len(entry) == MAX_ENTRY_FACTS:
            entry = open_entries[announce.shard] = []
            entries.append(entry)
        entry.append(announce)
    return entries


def _facts(entry: _Entry) -> bytes:
    return b"".join([announce.fact for announce in entry if announce.fact is not None])


def _error_of(reply: Reply) -> type[SwarmsUnavailableError]:
    return SwarmsFullError if is_out_of_memory(reply) else SwarmsUnavailableError


def _resolve(announce: _Announce, reply: Reply) -> None:
    if isinstance(reply, Refusal):
        _fail(announce, f"Redis refused the step: {reply}", _error_of(reply))
    elif not announce.answer.done():
        announce.answer.set_result(reply)


def _fail_all(
    announces: Iterable[_Announce], reason: str, error: type[SwarmsUnavailableError] = SwarmsUnavailableError
) -> None:
    for announce in announces:
        _fail(announce, reason, error)


def _fail(announce: _Announce, reason: str, error: type[SwarmsUnavailableError]) -> None:
    if not announce.answer.done():
        announce.answer.set_exception(error(reason))
