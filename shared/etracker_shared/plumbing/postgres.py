"""Connections to Postgres: a pool that connects when it can, and a listener that reconnects."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, cast

import asyncpg
from structlog import get_logger

from etracker_shared.agreements.notifications import parse_payload
from etracker_shared.plumbing.database_login import UNAVAILABLE, Login
from etracker_shared.plumbing.settings import PostgresSettings

RECONNECT_SECONDS = 0.5
HEARTBEAT_SECONDS = 1.0

__all__ = ["UNAVAILABLE", "Listener", "create_pool"]

log = get_logger("postgres")


def create_pool(settings: PostgresSettings, *, max_size: int = 8, command_timeout: float = 10.0) -> asyncpg.Pool:
    """Create a pool that connects on first use, so that a service starts while Postgres is down.

    Connections return to the pool without a reset, which saves a round trip per query. So no code may leave a setting,
    a session lock or a cursor behind.
    """
    return asyncpg.create_pool(
        connect=cast("Any", Login(settings).connect),  # the stubs want every option named
        min_size=0,
        max_size=max_size,
        timeout=3.0,
        command_timeout=command_timeout,
        server_settings={"application_name": "etracker"},
        reset=_leave_as_it_is,
    )


async def _leave_as_it_is(_connection: object) -> None:
    """Skip the usual reset."""


class Listener:
    """Listens on notification channels, and reconnects by itself.

    ``on_change`` gets a channel and the changed hashes, or None if any may have changed: after a large statement, or
    after a reconnect, before which notifications may have been missed. ``connected`` is False while notifications may
    be missed.
    """

    def __init__(
        self,
        settings: PostgresSettings,
        channels: Sequence[str],
        on_change: Callable[[str, Sequence[bytes] | None], None],
    ) -> None:
        self._login = Login(settings)
        self._channels = channels
        self._on_change = on_change
        self.connected = False

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except UNAVAILABLE as error:
                if self.connected:
                    log.warning("listener_lost", error=type(error).__name__)
            self.connected = False
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        connection = await self._login.connect(
            timeout=3.0,
            command_timeout=3.0,
            server_settings={"application_name": "etracker-listener"},
        )
        try:
            for channel in self._channels:
                await connection.add_listener(channel, self._hear)
            for channel in self._channels:
                self._on_change(channel, None)
            self.connected = True
            while not connection.is_closed():
                await connection.execute("SELECT 1")  # detects a dead server that never closed its socket
                await asyncio.sleep(HEARTBEAT_SECONDS)
        finally:
            with contextlib.suppress(*UNAVAILABLE):
                await connection.close(timeout=1.0)

    def _hear(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        self._on_change(channel, parse_payload(str(payload)))
