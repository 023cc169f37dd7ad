"""Connections to Postgres over which an announce's questions are answered in time.

There is no pool that resets connections between uses, and no connection is opened while an announce waits.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from etracker_scoring.errors import LookupUnavailableError
from etracker_shared.plumbing.background import stop
from etracker_shared.plumbing.database_login import UNAVAILABLE, Login
from etracker_shared.plumbing.pool_metrics import PoolState
from etracker_shared.plumbing.settings import PostgresSettings

LINK_SECONDS = 0.02
ANSWER_SECONDS = 0.06
"""Together these are less than a tenth of a second: announce waits 0.15 s for everything."""

GIVE_UP_SECONDS = 2.0
CHECK_SECONDS = 0.5
RECONNECT_SECONDS = 0.5

SERVER_SETTINGS = {
    "application_name": "etracker-scoring",
    "enable_seqscan": "off",
    "jit": "off",
    "synchronous_commit": "off",  # an announce waits for the commit of a promise; what a crash may lose: docs/adr/0081
}


@dataclass(slots=True)
class _Link:
    """A connection with its prepared statements. ``busy_since``: monotonic seconds, None while it is idle."""

    connection: asyncpg.Connection
    statements: Mapping[str, PreparedStatement]
    busy_since: float | None = None

    @property
    def hangs(self) -> bool:
        return self.busy_since is not None and time.monotonic() - self.busy_since > GIVE_UP_SECONDS


class Links:
    """A few permanent connections, each with the same prepared statements."""

    def __init__(self, settings: PostgresSettings, statements: Sequence[str], connections: int) -> None:
        self._login = Login(settings)
        self._statements = statements
        self._connections = connections
        self._idle: asyncio.LifoQueue[_Link] = asyncio.LifoQueue()
        self._open = 0
        self._waiting = 0
        self.was_connected = False

    @property
    def connected(self) -> bool:
        """Whether any connection is open."""
        return self._open > 0

    def state(self) -> PoolState:
        """Return how many connections are open and how many announces' questions wait for one."""
        idle = min(self._open, self._idle.qsize())
        return PoolState(self._open - idle, idle, self._waiting, self._connections)

    async def run(self) -> None:
        """Keep connections open until cancelled."""
        keeping = [asyncio.create_task(self._keep_open()) for _ in range(self._connections)]
        try:
            await asyncio.wait(keeping, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            await stop(*keeping)

    async def ask(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one of the statements.

        Raises:
            LookupUnavailableError: Postgres doesn't answer in time, or refuses.
        """
        if not self.connected:
            raise LookupUnavailableError("no connection")
        try:
            link = await self._take_link()
            lookup = asyncio.create_task(self._fetch(link, statement, *arguments))
            lookup.add_done_callback(_retrieve)
            done, _ = await asyncio.wait({lookup}, timeout=ANSWER_SECONDS)
            if done:
                return await lookup
        except (*UNAVAILABLE, asyncpg.PostgresError) as error:
            raise LookupUnavailableError(type(error).__name__) from error
        raise LookupUnavailableError("no answer in time")

    async def _take_link(self) -> _Link:
        """Take the idle connection that was used last.

        Raises:
            TimeoutError: all are busy.
        """
        while True:
            if self._idle.empty():
                link = await self._wait_for_link()
            else:
                link = self._idle.get_nowait()
            if not link.connection.is_closed():
                return link

    async def _wait_for_link(self) -> _Link:
        self._waiting += 1
        try:
            async with asyncio.timeout(LINK_SECONDS):
                return await self._idle.get()
        finally:
            self._waiting -= 1

    async def _fetch(self, link: _Link, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Run a query. A late query isn't cancelled: closing its connection would make a busy Postgres busier."""
        link.busy_since = time.monotonic()
        try:
            rows: list[asyncpg.Record] = await link.statements[statement].fetch(*arguments)
        except asyncpg.PostgresError:  # a refusal, after which the connection is as good as before
            self._release(link)
            raise
        except BaseException:
            link.connection.terminate()
            raise
        self._release(link)
        return rows

    def _release(self, link: _Link) -> None:
        link.busy_since = None
        self._idle.put_nowait(link)

    async def _keep_open(self) -> None:
        while True:
            with contextlib.suppress(*UNAVAILABLE, asyncpg.PostgresError):
                await self._hold_connection()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _hold_connection(self) -> None:
        """Open a connection, make it available, and return once it is lost."""
        connection = await self._login.connect(timeout=3.0, server_settings=SERVER_SETTINGS)
        try:
            statements = {statement: await connection.prepare(statement) for statement in self._statements}
            await connection.execute("SELECT 1")  # preparing leaves a transaction open that holds locks
            link = _Link(connection, statements)
            self._idle.put_nowait(link)
            self._open += 1
            self.was_connected = True
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


def _retrieve(lookup: asyncio.Task[list[asyncpg.Record]]) -> None:
    """Retrieve a late result; otherwise asyncio logs that nobody retrieved it."""
    if not lookup.cancelled():
        lookup.exception()
