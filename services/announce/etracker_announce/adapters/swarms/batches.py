"""Announces that wait for the same round trip: N scripts and their facts, one write.

While a batch is on its way the next one gathers, and a batch follows another by a few milliseconds: under load a
batch's own cost (two system calls here, a turn of Redis' loop and a write of its append-only file) is shared by
many. An announce that comes alone waits for nobody.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from etracker_announce.adapters.swarms.commands import Command
from etracker_announce.adapters.swarms.server import Refusal, Reply, Server, execute_scripts
from etracker_announce.ports import SwarmsUnavailableError
from etracker_shared import redis_keys
from etracker_shared.facts import ENTRY_FIELD

MAX_WAITING = 10_000
MAX_BATCH = 256
GATHER_SECONDS = 0.003
"""From one batch to the next: nobody notices it in an announce, and clients come back after half an hour."""
MAX_ENTRY_FACTS = 32
"""Facts of one stream entry: more than a few KiB would keep Redis busy for one entry and gain nothing."""


@dataclass(slots=True, eq=False)
class _Announce:
    """A step's command, its packed fact, and the caller who waits for both."""

    command: Command
    shard: int
    fact: bytes | None
    answer: asyncio.Future[list[bytes]]


class Batches:
    """Gather concurrent announces and send them together, one batch at a time."""

    def __init__(self, server: Server, on_batch: Callable[[int], None]) -> None:
        self._server = server
        self._on_batch = on_batch
        self._waiting: deque[_Announce] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._next_batch = 0.0

    async def announce(self, command: Command, shard: int, fact: bytes | None) -> list[bytes]:
        """Return the script's reply once it and the fact are acknowledged.

        Raises:
            SwarmsUnavailableError: one of the two wasn't, or too many wait already.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise SwarmsUnavailableError(f"{MAX_WAITING} announces wait for Redis already.")
        answer: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Announce(command, shard, fact, answer))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all(), name="announce batches")
        return await answer

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
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
        commands += [_xadd(entry) for entry in entries]
        try:
            replies = await execute_scripts(self._server, commands)
        except SwarmsUnavailableError as error:
            _fail_all(batch, str(error))
            return
        except BaseException:
            _fail_all(batch, "The round trip was interrupted.")
            raise
        for entry, reply in zip(entries, replies[len(batch) :], strict=True):
            if isinstance(reply, Refusal):
                _fail_all(entry, f"Redis took no fact: {reply}")
        for announce, reply in zip(batch, replies, strict=False):
            _resolve(announce, reply)


def _entries(batch: Iterable[_Announce]) -> list[list[_Announce]]:
    """Group the announces that have a fact into stream entries, by shard."""
    open_entries: dict[int, list[_Announce]] = {}
    entries: list[list[_Announce]] = []
    for announce in batch:
        if announce.fact is None:
            continue
        entry = open_entries.get(announce.shard)
        if entry is None or len(entry) == MAX_ENTRY_FACTS:
            entry = open_entries[announce.shard] = []
            entries.append(entry)
        entry.append(announce)
    return entries


def _xadd(entry: Sequence[_Announce]) -> Command:
    facts = b"".join([announce.fact for announce in entry if announce.fact is not None])
    return (b"XADD", redis_keys.facts(entry[0].shard), b"*", ENTRY_FIELD, facts)


def _resolve(announce: _Announce, reply: Reply) -> None:
    if isinstance(reply, Refusal):
        _fail(announce, f"Redis took no step: {reply}")
    elif not announce.answer.done():
        announce.answer.set_result(reply)


def _fail_all(announces: Iterable[_Announce], reason: str) -> None:
    for announce in announces:
        _fail(announce, reason)


def _fail(announce: _Announce, reason: str) -> None:
    if not announce.answer.done():
        announce.answer.set_exception(SwarmsUnavailableError(reason))
