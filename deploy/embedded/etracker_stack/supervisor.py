"""Keeps children running: restarts one that crashes, gives up on one that keeps crashing."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from etracker_stack.child import Child, RunningChild, start, why_ended
from etracker_stack.console import Console
from etracker_stack.disk import DiskWatch
from etracker_stack.errors import ChildError, StackError
from etracker_stack.logs import Logs

CRASHES_ALLOWED = 5
CRASH_WINDOW_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


class Supervisor:
    """Starts children, watches them, and stops them in reverse order.

    ``lock`` is an open file that each child inherits.
    """

    def __init__(self, logs: Logs, lock: int, console: Console, disk: DiskWatch, on_change: Callable[[], None]) -> None:
        self._logs = logs
        self._lock = lock
        self._console = console
        self._disk = disk
        self._on_change = on_change
        self._running: dict[str, RunningChild] = {}
        self._order: list[str] = []
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._failure: asyncio.Future[StackError] = asyncio.get_running_loop().create_future()

    @property
    def running(self) -> list[RunningChild]:
        """All children that were started and not stopped, in the order in which they were started."""
        return [self._running[name] for name in self._order if name in self._running]

    async def start(self, *children: Child) -> None:
        """Start children concurrently and return once all are ready.

        Raises:
            ChildError: one of them didn't become ready; the message says which and why.
        """
        self._order.extend(child.name for child in children)
        try:
            async with asyncio.TaskGroup() as group:
                for child in children:
                    group.create_task(self._start(child))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def run_once(self, child: Child) -> None:
        """Run a program to its end.

        Raises:
            ChildError: it failed; the message says why.
        """
        log = self._logs.of(child.name)
        log.begin()
        running = await start(child, log, self._lock)
        try:
            status = await running.wait()
        finally:
            running.kill()
        if status != 0:
            raise ChildError(f"{child.name} failed: {log.last_words()} Its log is {log.path}.")

    async def failure(self) -> StackError:
        """Wait until a child has crashed too often, and return the error."""
        return await asyncio.shield(self._failure)

    async def stop(self) -> None:
        """Stop every child, the last added first."""
        for watcher in self._watchers.values():
            watcher.cancel()
        await asyncio.gather(*self._watchers.values(), return_exceptions=True)
        for name in reversed(self._order):
            running = self._running.pop(name, None)
            if running is None or running.ended:
                continue
            self._console.say(f"stopping {name}")
            if not await running.stop():
                self._console.complain(f"{name} didn't stop when asked and was killed")

    async def _start(self, child: Child) -> None:
        self._console.say(f"starting {child.name}")
        self._logs.of(child.name).begin()
        running = await self._launch(child)
        await running.ready()
        self._watchers[child.name] = asyncio.create_task(self._watch(child), name=f"watch {child.name}")

    async def _launch(self, child: Child) -> RunningChild:
        running = await start(child, self._logs.of(child.name), self._lock)
        self._running[child.name] = running
        self._on_change()
        return running

    async def _watch(self, child: Child) -> None:
        crashes: deque[float] = deque(maxlen=CRASHES_ALLOWED)
        while True:
            status = await self._running[child.name].wait()
            crashes.append(time.monotonic())
            recent = sum(crash > crashes[-1] - CRASH_WINDOW_SECONDS for crash in crashes)
            disk_full = self._disk.is_full or self._logs.of(child.name).ends_on_full_disk()
            if recent < CRASHES_ALLOWED:
                reason = "the disk is full" if disk_full else self._reason(child, status)
                self._console.complain(f"{child.name} ended ({reason}): starting it again")
            elif not disk_full:  # a crash for lack of disk space doesn't count
                return self._give_up(child)
            await asyncio.sleep(min(FIRST_PAUSE_SECONDS * 2 ** (recent - 1), LONGEST_PAUSE_SECONDS))
            try:
                await self._restart(child)
            except OSError as error:
                return self._fail(f"{child.name} can't be started again: {error.strerror}.")

    async def _restart(self, child: Child) -> None:
        began = time.monotonic()
        running = await self._launch(child)
        try:
            await running.ready()
        except ChildError as error:
            if not running.ended:
                self._console.complain(str(error))
        else:
            self._console.say(f"{child.name} is back after {time.monotonic() - began:.1f} s")

    def _give_up(self, child: Child) -> None:
        log = self._logs.of(child.name)
        self._fail(
            f"{child.name} crashed {CRASHES_ALLOWED} times within {CRASH_WINDOW_SECONDS:.0f} s, "
            f"the last time with: {why_ended(child, log)} Its log is {log.path}."
        )

    def _fail(self, sentence: str) -> None:
        if not self._failure.done():
            self._failure.set_result(ChildError(sentence))

    def _reason(self, child: Child, status: int) -> str:
        return f"signal {-status}" if status < 0 else f"status {status}: {self._logs.of(child.name).last_words()}"
