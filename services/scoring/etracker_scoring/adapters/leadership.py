"""One worker leads, the others stand by: a Postgres advisory lock that dies with its connection."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from etracker_scoring.adapters.accounts import postgres_answers
from etracker_shared.postgres import UNAVAILABLE
from etracker_shared.settings import PostgresSettings

LOCK = 0x6574_7261_636B  # "etrack"
STAND_BY_SECONDS = 1.0

# Lookups go by index whatever Postgres thinks of the tables' sizes: a plan made while they were empty lasts. A leader
# whose machine vanished or that hangs loses the lock within seconds. What is committed is trimmed from the stream, so a
# commit waits for the disk even where Postgres was told not to.
_SERVER_SETTINGS = {
    "application_name": "etracker-scoring-worker",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "jit": "off",
    "synchronous_commit": "on",
    "idle_session_timeout": "15s",
    "idle_in_transaction_session_timeout": "15s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}


class Leadership:
    """``connected``: whether Postgres answered when last asked, leading or standing by."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._settings = settings
        self.connected = False

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[asyncpg.Connection]:
        """Wait for the lead, and give the connection that holds it.

        Raises:
            AccountsUnavailableError: Postgres can't be asked.
        """
        with postgres_answers():
            connection = await self._connect()
        try:
            self.connected = True
            with postgres_answers():
                while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110 - only asking tells
                    await asyncio.sleep(STAND_BY_SECONDS)
            yield connection
        finally:
            self.connected = False
            with contextlib.suppress(*UNAVAILABLE):
                await connection.close(timeout=1.0)

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            **self._settings.asyncpg_arguments(),
            timeout=3.0,
            command_timeout=30.0,
            server_settings=_SERVER_SETTINGS,
        )
