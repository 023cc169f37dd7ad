"""``python -m etracker_announce.replicas``: several announce processes that share their ports, as in a container.

This process opens the ports and accepts nothing itself. While a replica restarts, the others accept; if there is no
other, connections wait in the backlog. Every replica has an observation port of its own: the first one's, and those
after it.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from structlog import get_logger

from etracker_shared.plumbing.logs import configure_logging
from etracker_shared.plumbing.settings import ObservationSettings, PublicPortSettings, ServingSettings, load_settings
from etracker_shared.plumbing.sockets import NOT_STARTED, open_listening

CRASHES_ALLOWED = 5
CRASH_WINDOW_SECONDS = 60.0
PAUSE_SECONDS = 0.1
"""Before a replica that crashed is started again; doubled with each crash within the window."""
FATAL = {NOT_STARTED, 78}
"""Exit statuses of a replica that can't start: a port is taken, or a setting is wrong."""
STOP_SECONDS = 15.0
"""A little more than a replica takes to answer its last requests."""

log = get_logger("replicas")


class ReplicaSettings(ServingSettings, ObservationSettings, PublicPortSettings):
    """Where the replicas listen; their other settings they read themselves."""


class Replicas:
    """The announce processes of one container."""

    def __init__(self, settings: ReplicaSettings) -> None:
        self._settings = settings
        self._sockets: list[socket.socket] = []
        self._environment = dict(os.environ)
        self._running: set[Process] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> int:
        """Keep the replicas running until SIGTERM or SIGINT; return the exit status."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        await self._open()
        tasks = [asyncio.create_task(self._keep_running(number)) for number in range(self._settings.announce_replicas)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        self._stop()
        return max(await asyncio.gather(*tasks))

    async def _open(self) -> None:
        settings = self._settings
        listening = await open_listening(settings.listen_host, settings.listen_port)
        public = await open_listening(settings.announce_host, settings.announce_port) if settings.announce_port else []
        self._sockets = [*listening, *public]
        self._environment["ETRACKER_LISTEN_SOCKETS"] = _descriptors(listening)
        self._environment["ETRACKER_PUBLIC_SOCKETS"] = _descriptors(public)

    def _stop(self) -> None:
        """Ask the replicas to answer what they have accepted, and to end."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        for listening in self._sockets:  # let in the connections that have sent no request yet
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 0)
        for process in self._running:
            with suppress(ProcessLookupError):
                process.terminate()
        asyncio.get_running_loop().call_later(STOP_SECONDS, self._kill)

    def _kill(self) -> None:
        for process in self._running:
            with suppress(ProcessLookupError):
                process.kill()

    async def _keep_running(self, number: int) -> int:
        """Run one replica again and again; return the exit status once it is to stop, or crashes too often."""
        crashes: deque[float] = deque(maxlen=CRASHES_ALLOWED)
        while not self._stopping.is_set():
            status = await self._run_once(number)
            if self._stopping.is_set() or status in FATAL:
                return status
            if status:
                crashes.append(time.monotonic())
                recent = sum(crash > crashes[-1] - CRASH_WINDOW_SECONDS for crash in crashes)
                log.error("replica_crashed", replica=number + 1, status=status)
                if recent == CRASHES_ALLOWED:
                    return 1
                await asyncio.sleep(PAUSE_SECONDS * 2**recent)
        return 0

    async def _run_once(self, number: int) -> int:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "etracker_announce"),
            env={**self._environment, "ETRACKER_OBSERVATION_PORT": str(self._settings.observation_port + number)},
            pass_fds=[one.fileno() for one in self._sockets],
        )
        self._running.add(process)
        if self._stopping.is_set():
            process.terminate()
        try:
            return await process.wait()
        finally:
            self._running.discard(process)


def _descriptors(sockets: Sequence[socket.socket]) -> str:
    return " ".join(str(one.fileno()) for one in sockets)


def main() -> int:
    """Read the settings and run the replicas."""
    settings = load_settings(ReplicaSettings)
    configure_logging(settings.log_level)
    try:
        return asyncio.run(Replicas(settings).run())
    except OSError as error:
        log.error("cannot_listen", reason=str(error))
        return NOT_STARTED


if __name__ == "__main__":
    sys.exit(main())
