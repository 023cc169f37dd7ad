"""Run one of etracker's FastAPI applications under uvicorn."""

import asyncio
import resource
import socket
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import TypeVar

import uvicorn
from fastapi import FastAPI

from etracker_shared.plumbing.logs import configure_logging
from etracker_shared.plumbing.settings import ServingSettings
from etracker_shared.plumbing.sockets import NOT_STARTED

GRACEFUL_SHUTDOWN_SECONDS = 10
LINGER_SECONDS = 0.25
"""While the service stops: how long after its connection a request may still arrive."""

SettingsT = TypeVar("SettingsT", bound=ServingSettings)


class IdleServer(uvicorn.Server):
    """A server that does nothing while nobody asks it anything.

    uvicorn's own wakes up ten times a second to see whether it is to stop and to renew a header that we don't send: a
    quarter of what an idle tracker costs.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked_to_stop = asyncio.Event()

    async def main_loop(self) -> None:
        """Wait until it is to stop."""
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)
        if not self.should_exit:
            await self._asked_to_stop.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop because of a signal."""
        super().handle_exit(sig, frame)
        self.stop()

    def stop(self) -> None:
        """Answer running requests, then stop."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._asked_to_stop.set)


class PatientServer(IdleServer):
    """A server that answers all clients that connected before it stops.

    uvicorn's own server resets connections in the backlog, and closes those whose request is still arriving. After
    that, clients may safely repeat only a GET.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept the connections in the backlog, then stop as uvicorn does."""
        loop = asyncio.get_running_loop()
        for listening in self._take_listeners():
            waiting = _accept_all(listening)
            listening.close()
            for connection in waiting:
                await loop.connect_accepted_socket(self._make_protocol, connection)
        await asyncio.sleep(LINGER_SECONDS)
        await super().shutdown(sockets)

    def _take_listeners(self) -> list[socket.socket]:
        """Take the listening sockets from the event loop, with their backlog."""
        taken = [socket.fromfd(it.fileno(), it.family, it.type) for server in self.servers for it in server.sockets]
        for server in self.servers:
            server.close()  # closes the loop's descriptors; the duplicates keep the backlog
        return taken

    def _make_protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def _accept_all(listening: socket.socket) -> list[socket.socket]:
    listening.settimeout(0)
    accepted = []
    while True:
        try:
            accepted.append(listening.accept()[0])
        except (ConnectionAbortedError, InterruptedError):
            continue
        except OSError:  # no more connections are waiting, or no descriptor is left
            return accepted


def serve(
    create_app: Callable[[SettingsT], FastAPI],
    settings: SettingsT,
    http: Callable[..., asyncio.Protocol] | str = "httptools",
) -> None:
    """Serve until SIGTERM or SIGINT, then let running requests finish.

    ``create_app`` is called inside the event loop, since drivers are bound to the loop in which they are created.
    """
    configure_logging(settings.log_level)
    allow_many_connections()
    config = uvicorn.Config(
        partial(create_app, settings),
        factory=True,
        host=settings.listen_host,
        port=settings.listen_port,
        loop="uvloop",
        http=http,  # type: ignore[arg-type]  # uvicorn only calls it, so it needn't be a class
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=4096,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
    )
    server = PatientServer(config)
    server.run()
    if not server.started:
        sys.exit(NOT_STARTED)


def allow_many_connections() -> None:
    """Raise the soft limit of open files, often 1,024, to the hard limit: each connection takes one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
