"""One process that the stack starts: how to start it, when it is ready, how it stops."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from etracker_stack.account import Account, prepare_child
from etracker_stack.errors import ChildError

KEPT_LOGS = 3
STOP_SECONDS = 20.0
READY_SECONDS = 60.0

_DISK_FULL = "No space left on device"


@dataclass(frozen=True)
class Child:
    """What to run. ``is_ready`` gets the process id.

    ``death_signal`` is what it gets when we die: servers that keep data close it, the others just end.
    ``observation``: where its health and metrics are, if not at its address.
    """

    name: str
    command: tuple[str | Path, ...]
    is_ready: Callable[[int], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    directory: Path = Path("/")
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    address: str | None = None
    observation: str | None = None


class RunningChild:
    """A child that was started."""

    def __init__(self, child: Child, process: Process, log: Path) -> None:
        self.child = child
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Its process id, which is its process group's too."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended, for whatever reason."""
        return self._process.returncode is not None

    async def wait(self) -> int:
        """Wait until it ends and return its exit status, negative for a signal."""
        return await self._process.wait()

    async def ready(self) -> None:
        """Return once it is ready.

        Raises:
            ChildError: it ended, or wasn't ready in time.
        """
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while not self.ended:
            if await self.child.is_ready(self.pid):
                return
            if asyncio.get_running_loop().time() > deadline:
                raise ChildError(f"{self.child.name} isn't ready after {READY_SECONDS:.0f} s; its log is {self._log}.")
            await asyncio.sleep(0.05)
        raise ChildError(f"{self.child.name} doesn't start: {last_words(self._log)} Its log is {self._log}.")

    async def stop(self) -> bool:
        """Ask it to end, and kill it when it doesn't within 20 s; tell whether it ended by itself."""
        if self.ended:
            return True
        self._process.send_signal(self.child.stop_signal)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
            return False
        return True

    def kill(self) -> None:
        """Kill it and the processes it started."""
        if not self.ended:
            os.killpg(self._process.pid, signal.SIGKILL)


async def start(child: Child, logs: Path, lock: int) -> RunningChild:
    """Start a child in a session of its own, so that Ctrl-C reaches it only through us."""
    log = logs / f"{child.name}.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(str(part) for part in child.command),
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
            env={**os.environ, **child.environment},
            cwd=child.directory,
            start_new_session=True,
            pass_fds=[lock],
            preexec_fn=prepare_child(child.death_signal, child.account),
        )
    return RunningChild(child, process, log)


def rotate(log: Path) -> None:
    """Put the last run's log beside, and the one before that one further."""
    for age in range(KEPT_LOGS, 0, -1):
        older = log.with_name(f"{log.name}.{age}")
        newer = log.with_name(f"{log.name}.{age - 1}") if age > 1 else log
        if newer.exists():
            newer.replace(older)


def last_words(log: Path) -> str:
    """Return one sentence about why a child ended, from the end of its log."""
    lines = [line.strip() for line in _end_of(log).splitlines() if line.strip()][-50:]
    if any(_DISK_FULL in line for line in lines):
        return "the disk is full."
    fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
    said = (fatal or lines or ["it says nothing"])[-1]
    return said[-300:].rstrip(".") + "."


def _end_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16384))
        return file.read().decode(errors="replace")


async def answers(url: str) -> bool:
    """Tell whether a GET of ``url`` is answered with 200."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
            return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
