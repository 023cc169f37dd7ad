"""One Redis (or Valkey) server, over a connection that is reopened whenever it is lost."""

import asyncio
import re
import ssl
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from redis.asyncio.connection import SSLConnection, parse_url

from etracker_announce.adapters.swarms.commands import Command
from etracker_announce.adapters.swarms.connection import Connection
from etracker_announce.adapters.swarms.server import Refusal, Reply
from etracker_announce.ports import SwarmsUnavailableError
from etracker_shared.agreements.facts import shard_of
from etracker_shared.plumbing.redis_scripts import Script
from etracker_shared.plumbing.redis_urls import socket_complaint
from etracker_shared.plumbing.settings import RedisSettings

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0
RETRY_SECONDS = 0.1

_log = structlog.get_logger(__name__)


class SingleServer:
    """A :class:`~etracker_announce.adapters.swarms.server.Server` that is one process."""

    def __init__(self, settings: RedisSettings, scripts: Iterable[Script]) -> None:
        self._url = settings.redis_url
        self._address = _address(settings)
        self._reason = "it is being opened"
        self._scripts = tuple(scripts)
        self._connection: Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()

    async def start(self) -> None:
        """See :class:`~etracker_announce.adapters.swarms.server.Server`."""
        self._connecting = asyncio.create_task(self._keep_connected(), name="redis connection")
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._connected.wait()

    async def close(self) -> None:
        """See :class:`~etracker_announce.adapters.swarms.server.Server`."""
        if self._connecting is not None:
            self._connecting.cancel()
            with suppress(asyncio.CancelledError):
                await self._connecting
        if self._connection is not None:
            self._connection.abort()
            await self._connection.closed.wait()

    async def execute(self, commands: Sequence[Command]) -> list[Reply]:
        """See :class:`~etracker_announce.adapters.swarms.server.Server`."""
        connection = self._connection
        if connection is None:
            raise SwarmsUnavailableError(f"There is no connection to Redis: {self._reason}")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                replies = await connection.execute(commands)
        except TimeoutError:
            connection.abort()
            raise SwarmsUnavailableError(f"Redis did not answer within {ANSWER_SECONDS} s.") from None
        except ConnectionError as error:
            raise SwarmsUnavailableError(str(error)) from None
        if any(isinstance(reply, Refusal) and reply.code == "READONLY" for reply in replies):
            # A failover turned this server into a replica: a new connection reaches the server that accepts writes.
            connection.abort()
        return replies

    async def max_memory(self) -> int:
        """See :class:`~etracker_announce.adapters.swarms.server.Server`."""
        (reply,) = await self.execute([(b"INFO", b"memory")])
        if isinstance(reply, Refusal):
            raise SwarmsUnavailableError(f"Redis doesn't report its limit: {reply}") from reply
        found = re.search(rb"^maxmemory:(\d+)", reply, re.MULTILINE)
        return int(found[1]) if found else 0

    def shard_of(self, key_hash: bytes) -> int:
        """See :class:`~etracker_announce.adapters.swarms.server.Server`."""
        return shard_of(key_hash)

    async def load_scripts(self) -> None:
        """See :class:`~etracker_announce.adapters.swarms.server.Server`."""
        try:
            _raise_refusal(await self.execute(self._loading()))
        except Refusal as refusal:
            raise SwarmsUnavailableError(f"Redis refuses the scripts: {refusal}") from refusal

    async def _keep_connected(self) -> None:
        failed = False
        while True:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    connection = await self._connect()
            except (OSError, TimeoutError, Refusal) as error:
                self._reason = socket_complaint(self._url) or str(error) or type(error).__name__
                if not failed:
                    _log.warning("redis can't be reached", reason=self._reason)
                failed = True
            else:
                failed = False
                self._connection = connection
                self._connected.set()
                _log.info("redis connected")
                await connection.closed.wait()
                self._connection, self._reason = None, "it was lost"
            await asyncio.sleep(RETRY_SECONDS)

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        address = self._address
        if "path" in address:
            _, connection = await loop.create_unix_connection(Connection, address["path"])
        else:
            host, port = address.get("host", "localhost"), address.get("port", 6379)
            _, connection = await loop.create_connection(Connection, host, port, ssl=_trust(address))
        try:
            _raise_refusal(await connection.execute(self._greeting()))
        except BaseException:
            connection.abort()
            raise
        return connection

    def _greeting(self) -> list[Command]:
        commands: list[Command] = []
        if password := self._address.get("password"):
            user = self._address.get("username")
            commands.append((b"AUTH", *([user.encode()] if user else []), password.encode()))
        if database := self._address.get("db"):
            commands.append((b"SELECT", database))
        return commands + self._loading()

    def _loading(self) -> list[Command]:
        return [(b"SCRIPT", b"LOAD", script.source) for script in self._scripts]


def _raise_refusal(replies: Iterable[Reply]) -> None:
    for reply in replies:
        if isinstance(reply, Refusal):
            raise reply


def _trust(address: dict[str, Any]) -> ssl.SSLContext | None:
    if address.get("connection_class") is not SSLConnection:
        return None
    return ssl.create_default_context(cafile=address.get("ssl_ca_certs"))


def _address(settings: RedisSettings) -> dict[str, Any]:
    """Parse the URL. As in redis-py, its password has precedence."""
    address: dict[str, Any] = dict(parse_url(settings.redis_url))
    if password := settings.redis.get_secret_value():
        address.setdefault("password", password)
    return address
