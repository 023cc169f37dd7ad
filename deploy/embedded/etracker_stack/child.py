"""One process of the stack: how it starts, when it is ready, and how it stops."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from etracker_stack.account import Account, prepare_child
from etracker_stack.environment import environment
from etracker_stack.errors import ChildError
from etracker_stack.logs import ChildLog

STOP_SECONDS = 20.0
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Child:
    """What to run. ``is_ready`` gets the process id; ``environment`` is the child's whole environment.

    ``death_signal`` is the signal that it gets when we die: servers with data shut down cleanly, others are killed.
    ``advice`` returns one sentence on what to do about the last lines of its log, or None.
    ``observation``: the address of its health and metrics, if it differs from ``address``.
    ``sockets``: descriptors that it inherits.
    """

    name: str
    command: tuple[str | Path, ...]
    is_ready: Callable[[int], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=environment, repr=False)
    directory: Path = Path("/")
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    address: str | None = None
    advice: Callable[[Sequence[str]], str | None] = lambda _lines: None
    observation: str | None = None
    sockets: tuple[int, ...] = ()


class RunningChild:
    """A child that was started."""

    def __init__(self, child: Child, process: Process, log: ChildLog) -> None:
        self.child = child
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Its process id, which is also that of its process group."""
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
                raise ChildError(
                    f"{self.child.name} isn't ready after {READY_SECONDS:.0f} s; its log is {self._log.path}."
                )
            await asyncio.sleep(0.05)
        raise ChildError(
            f"{self.child.name} doesn't start: {why_ended(self.child, self._log)} Its log is {self._log.path}."
        )

    async def stop(self) -> bool:
        """Ask it to end, and kill it if it doesn't within 20 s; return whether it ended by itself."""
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


async def start(child: Child, log: ChildLog, lock: int) -> RunningChild:
    """Start a child in a new session, so that Ctrl-C reaches it only through us."""
    with log.pipe() as output:
        process = await asyncio.create_subprocess_exec(
            *(str(part) for part in child.command),
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
            env=child.environment,
            cwd=child.directory,
            start_new_session=True,
            pass_fds=[lock, *child.sockets],
            preexec_fn=prepare_child(child.death_signal, child.account),
        )
    return RunningChild(child, process, log)


def why_ended(child: Child, log: ChildLog) -> str:
    """Return one sentence about why a child ended, and what to do about it if that is known."""
    return child.advice(log.last_lines()) or log.last_words()


async def answers(url: str) -> bool:
    """Return whether a GET of ``url`` is answered with 200."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
            return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
