"""Starts everything in order: servers, migrations, services, gateway; and stops it in reverse."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from etracker_shared.plumbing.redis_urls import socket_complaint
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings, load_settings
from etracker_stack.api_key import ensure_api_key, read_api_key
from etracker_stack.child import RunningChild
from etracker_stack.console import Console
from etracker_stack.data_directory import DataDirectory, Secrets
from etracker_stack.disk import DiskWatch
from etracker_stack.errors import StackError
from etracker_stack.logs import Logs
from etracker_stack.memory import available_memory, redis_max_memory
from etracker_stack.monitoring import prometheus_targets
from etracker_stack.ports import free_ports, is_taken
from etracker_stack.postgres import EmbeddedPostgres
from etracker_stack.programs import redis_program
from etracker_stack.public_port import public_port
from etracker_stack.redis import redis_child
from etracker_stack.relay import ErrorRelay
from etracker_stack.services import (
    Ports,
    announce_address,
    fresh_announce_key,
    gateway_child,
    migration_child,
    public_address,
    reachable,
    server_variables,
    service_children,
    web_address,
)
from etracker_stack.settings import FEW_API_KEY_CHARACTERS, StackSettings
from etracker_stack.supervisor import Supervisor

KEY_LOOK_SECONDS = 1.0
STATE_RETRY_SECONDS = 2.0


class Stack:
    """One run of the whole tracker."""

    def __init__(
        self, settings: StackSettings, directory: DataDirectory, console: Console, public: tuple[int, ...]
    ) -> None:
        """Take the settings and the descriptors of announce's public port."""
        self._settings = settings
        self._directory = directory
        self._console = console
        self._secrets: Secrets = directory.secrets()
        ensure_api_key(directory.path, _given_key(settings))
        self._api_key = read_api_key(directory.path)
        self._relay = ErrorRelay(console)
        self._logs = Logs(directory.logs, settings.log_max_bytes, self._relay.take)
        self._disk = DiskWatch(directory.path, console)
        self._supervisor = Supervisor(self._logs, directory.lock, console, self._disk, self._tell_state)
        self._servers: dict[str, str] = {}
        self._ports = _choose_ports(settings, public)
        self._ready = False

    async def run(self) -> None:
        """Start everything and keep it running until a signal asks to stop.

        Raises:
            StackError: a process didn't start, or crashed too often; everything has been stopped by then.
        """
        asked = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, asked.set)
        aside = [asyncio.create_task(work) for work in (self._relay.run(), self._disk.run(), self._follow_api_key())]
        try:
            await _until(asked, self._serve())
        finally:
            await self._supervisor.stop()
            self._logs.close()
            for task in aside:
                task.cancel()
            await asyncio.gather(*aside, return_exceptions=True)

    async def _serve(self) -> None:
        await self._start_servers()
        self._console.say("migrating the schema")
        await self._supervisor.run_once(migration_child(self._servers))
        await self._supervisor.start(
            *service_children(self._settings, self._ports, self._servers, self._directory.api_key)
        )
        await self._supervisor.start(gateway_child(self._settings, self._ports, self._directory.gateway))
        with suppress(OSError):  # the disk is full, which the disk watch reports
            self._directory.write_targets(prometheus_targets(one.child for one in self._supervisor.running))
        await self._welcome()
        self._ready = True
        self._tell_state()
        raise await self._supervisor.failure()

    async def _start_servers(self) -> None:
        postgres_port, redis_port = free_ports(2)
        postgres = await self._start_postgres(postgres_port)
        redis = await self._start_redis(redis_port)
        self._servers = server_variables(postgres, redis)

    async def _start_postgres(self, port: int) -> PostgresSettings:
        if self._settings.pghost is not None:
            return load_settings(PostgresSettings)
        embedded = EmbeddedPostgres(self._directory, self._secrets.postgres_password, port)
        await embedded.start(self._supervisor)
        return embedded.settings()

    async def _start_redis(self, port: int) -> RedisSettings:
        given = load_settings(RedisSettings)
        if self._settings.redis_url is not None:
            if complaint := socket_complaint(given.redis_url):
                self._console.complain(f"Redis can't be reached, but the tracker goes on trying: {complaint}")
            return given
        password = given.redis.get_secret_value() or self._secrets.redis_password
        program = redis_program(self._settings.redis_server)
        max_memory = self._settings.redis_maxmemory or redis_max_memory(available_memory())
        await self._supervisor.start(redis_child(program, self._directory.redis, port, password, max_memory))
        return RedisSettings.model_validate({"redis_url": f"redis://127.0.0.1:{port}/0", "redis": password})

    async def _welcome(self) -> None:
        key = await fresh_announce_key(self._ports)
        web, announce = web_address(self._settings), announce_address(self._settings)
        self._console.block(
            "etracker runs",
            [
                ("web", web),
                ("announce URL", f"{announce}/{key or '<key from /api/generate>'}/announce"),
                ("API key", self._api_key),
                ("data", str(self._directory.path)),
                ("stop", "Ctrl-C"),
            ],
        )

    async def _follow_api_key(self) -> None:
        """Update the state file when the API key is replaced."""
        while True:
            await asyncio.sleep(KEY_LOOK_SECONDS)
            with suppress(OSError, StackError):  # the admin API reports what is wrong with it
                key = read_api_key(self._directory.path)
                if key != self._api_key:
                    self._api_key = key
                    self._tell_state()

    def _tell_state(self) -> None:
        try:
            self._directory.write_state(self._state())
        except OSError:  # the disk is full, which the disk watch reports
            asyncio.get_running_loop().call_later(STATE_RETRY_SECONDS, self._tell_state)

    def _state(self) -> dict[str, object]:
        running = self._supervisor.running
        return {
            "ready": self._ready,
            "gateway": f"{reachable(self._settings.listen_host)}:{self._settings.backend_port}",
            "announce": public_address(self._settings),
            "api_key": self._api_key,
            "api_key_is_given": bool(_given_key(self._settings)),
            "servers": self._servers,
            "processes": {one.child.name: _describe(one) for one in running},
        }


async def run(settings: StackSettings, console: Console) -> None:
    """Run the tracker in its data directory.

    Raises:
        StackError: it can't run; the message says why in one sentence.
    """
    if 0 < len(_given_key(settings) or "") < FEW_API_KEY_CHARACTERS:
        console.complain(
            f"ETRACKER_AUTHORIZATION has fewer than {FEW_API_KEY_CHARACTERS} characters: choose a longer, random one."
        )
    directory = DataDirectory(settings.data_dir)
    directory.open()
    try:
        _refuse_taken(settings)
        async with public_port(settings) as public:
            await Stack(settings, directory, console, public).run()
    finally:
        directory.close()


async def _until(asked: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Run ``work`` until it ends or ``asked`` is set, whichever is first."""
    working, waiting = asyncio.ensure_future(work), asyncio.ensure_future(asked.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if working.done():
        return working.result()
    while not working.done():  # cancel repeatedly: the call it awaits may swallow a cancellation (gh-86296)
        working.cancel()
        await asyncio.wait({working}, timeout=1.0)
    return None if working.cancelled() else working.result()


def _given_key(settings: StackSettings) -> str | None:
    return settings.authorization.get_secret_value().strip() if settings.authorization else None


def _describe(running: RunningChild) -> dict[str, Any]:
    child = running.child
    return {"pid": running.pid, "address": child.address, "observation": child.observation}


def _choose_ports(settings: StackSettings, public: tuple[int, ...]) -> Ports:
    replicas, workers = settings.announce_replicas, settings.scoring_workers
    scoring, admin, gateway, *others = free_ports(3 + workers + 2 * replicas)
    scoring_workers, others = tuple(others[:workers]), others[workers:]
    return Ports(scoring, scoring_workers, admin, tuple(others[:replicas]), tuple(others[replicas:]), public, gateway)


def _refuse_taken(settings: StackSettings) -> None:
    if is_taken(settings.listen_host or "0.0.0.0", settings.backend_port):  # noqa: S104 - only probed
        raise StackError(
            f"Port {settings.backend_port} is taken by another program: "
            "stop it, or set ETRACKER_BACKEND_PORT to a free port."
        )
    if settings.announce_port == settings.backend_port:
        raise StackError("ETRACKER_ANNOUNCE_PORT and ETRACKER_BACKEND_PORT are the same port: change one of them.")
