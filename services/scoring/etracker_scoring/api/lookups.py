"""Look up keys in Postgres, in time for an announce.

An announce waits for this, so a lookup costs one query over an open connection. There is no pool
that resets connections between uses, and no connection is opened while an announce waits.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from etracker_scoring.api.treatment import Account
from etracker_scoring.errors import LookupUnavailableError
from etracker_scoring.scores.list_policies import History
from etracker_scoring.scores.newcomers import Neighbour
from etracker_scoring.stored.keys import FIND_NEIGHBOURS, KEY_WIDTH, parse_key, parse_neighbour
from etracker_shared.language.identity import KeyHash
from etracker_shared.plumbing.postgres import UNAVAILABLE
from etracker_shared.plumbing.settings import PostgresSettings

LINK_SECONDS = 0.02
ANSWER_SECONDS = 0.06
"""Together these are less than a tenth of a second: announce waits 0.15 s for everything."""

GIVE_UP_SECONDS = 2.0
CHECK_SECONDS = 0.5
RECONNECT_SECONDS = 0.5


@dataclass(slots=True)
class _Link:
    """A connection with its statements. ``busy_since``: monotonic seconds, None while it is idle."""

    connection: asyncpg.Connection
    accounts: PreparedStatement
    neighbours: PreparedStatement
    busy_since: float | None = None

    @property
    def hangs(self) -> bool:
        return self.busy_since is not None and time.monotonic() - self.busy_since > GIVE_UP_SECONDS


class PostgresLookups:
    """Implements :class:`~etracker_scoring.api.judging.Lookups` with ``query``, over a few permanent connections."""

    def __init__(self, settings: PostgresSettings, query: str, connections: int) -> None:
        self._settings = settings
        self._connections = connections
        self._idle: asyncio.LifoQueue[_Link] = asyncio.LifoQueue()
        self._open = 0
        self._query = query

    @property
    def connected(self) -> bool:
        """Whether any connection is open."""
        return self._open > 0

    async def run(self) -> None:
        """Keep connections open until cancelled."""
        keeping = [asyncio.create_task(self._keep_open()) for _ in range(self._connections)]
        try:
            await asyncio.wait(keeping, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            while not all(task.done() for task in keeping):
                for task in keeping:  # repeatedly: opening a connection may swallow a cancellation (gh-86296)
                    task.cancel()
                await asyncio.wait(keeping, timeout=1.0)

    async def find(self, key_hashes: Sequence[KeyHash]) -> Mapping[KeyHash, Account]:
        """Return the registered ones of these keys, with their statistics."""
        rows = await self._ask(lambda link: link.accounts, key_hashes)
        return {account.key.key_hash: account for account in map(_account, rows)}

    async def find_neighbours(self, prefixes: Sequence[bytes], seen_after: float) -> Sequence[Neighbour]:
        """Return the keys that affect decisions about new keys from these prefixes."""
        return [parse_neighbour(row) for row in await self._ask(lambda link: link.neighbours, prefixes, seen_after)]

    async def _ask(self, statement: Callable[[_Link], PreparedStatement], *arguments: object) -> list[asyncpg.Record]:
        if not self.connected:
            raise LookupUnavailableError("no connection")
        try:
            link = await self._take_link()
            lookup = asyncio.create_task(self._fetch(link, statement(link), *arguments))
            done, _ = await asyncio.wait({lookup}, timeout=ANSWER_SECONDS)
            if done:
                return await lookup
        except (*UNAVAILABLE, asyncpg.PostgresError) as error:
            raise LookupUnavailableError(type(error).__name__) from error
        lookup.add_done_callback(_ignore)
        raise LookupUnavailableError("no answer in time")

    async def _take_link(self) -> _Link:
        """Take the idle connection that was used last.

        Raises:
            TimeoutError: all are busy.
        """
        while True:
            if self._idle.empty():
                async with asyncio.timeout(LINK_SECONDS):
                    link = await self._idle.get()
            else:
                link = self._idle.get_nowait()
            if not link.connection.is_closed():
                return link

    async def _fetch(self, link: _Link, statement: PreparedStatement, *arguments: object) -> list[asyncpg.Record]:
        """Run a query. A late query isn't cancelled: closing its connection would make a busy Postgres busier."""
        link.busy_since = time.monotonic()
        try:
            rows: list[asyncpg.Record] = await statement.fetch(*arguments)
        except BaseException:
            link.connection.terminate()
            raise
        link.busy_since = None
        self._idle.put_nowait(link)
        return rows

    async def _keep_open(self) -> None:
        while True:
            with contextlib.suppress(*UNAVAILABLE, asyncpg.PostgresError):
                await self._hold_connection()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _hold_connection(self) -> None:
        """Open a connection, make it available, and return once it is lost."""
        connection = await asyncpg.connect(
            **self._settings.asyncpg_arguments(),
            timeout=3.0,
            server_settings={"application_name": "etracker-scoring", "enable_seqscan": "off", "jit": "off"},
        )
        try:
            accounts, neighbours = await connection.prepare(self._query), await connection.prepare(FIND_NEIGHBOURS)
            await connection.execute("SELECT 1")  # preparing leaves a transaction open that holds locks
            link = _Link(connection, accounts, neighbours)
            self._idle.put_nowait(link)
            self._open += 1
            try:
                await self._until_lost(link)
            finally:
                self._open -= 1
        finally:
            connection.terminate()

    async def _until_lost(self, link: _Link) -> None:
        """Return once a connection is lost, or a query over it hangs."""
        lost = asyncio.Event()
        link.connection.add_termination_listener(lambda _connection: lost.set())
        while not (lost.is_set() or link.hangs):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_SECONDS):
                    await lost.wait()


def _account(row: asyncpg.Record) -> Account:
    return Account(parse_key(row), History(*row[KEY_WIDTH + 1 :]), row[KEY_WIDTH])


def _ignore(lookup: asyncio.Task[list[asyncpg.Record]]) -> None:
    """Retrieve a late result; otherwise asyncio logs that nobody retrieved it."""
    if not lookup.cancelled():
        lookup.exception()
