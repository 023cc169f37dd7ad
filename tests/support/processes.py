"""Start and end programs in tests: no process outlives the test run, and a failure shows its log."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import psutil

from etracker_stack.account import Account, prepare_child
from etracker_stack.ports import free_port, free_ports

__all__ = ["Program", "children_of", "free_port", "free_ports", "living", "wait_until"]


def living() -> contextlib.suppress:
    """Leave the block if the process that it inspects has ended: a database's backends come and go at any time."""
    return contextlib.suppress(psutil.NoSuchProcess)


def children_of(pid: int, *, recursive: bool = False) -> dict[psutil.Process, str]:
    """Return the children of a process with their names, except those that end before they can be asked."""
    children = {}
    with living():
        for child in psutil.Process(pid).children(recursive=recursive):
            with living():
                children[child] = child.name()
    return children


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20.0, pause: float = 0.02) -> None:
    """Return once ``condition`` holds.

    Raises:
        AssertionError: it didn't within ``seconds``; the message says ``what`` was awaited.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {seconds} s: {what}")
        time.sleep(pause)


class Program:
    """A program that a test runs, with its output in a file. It doesn't outlive the test run."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self._command = [str(part) for part in command]
        self._log = log
        self._environment = environment
        self._account = account
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def output(self) -> str:
        """All it wrote, to standard output and standard error, over all its runs."""
        return self._log.read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; a second start appends to the same log."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
                preexec_fn=prepare_child(signal.SIGKILL, self._account),  # noqa: PLW1509 - no thread of ours forks
            )

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        """Return once ``condition`` holds; fail with the log when the program ends or time runs out."""

        def holds_or_ended() -> bool:
            return condition() or not self.running

        try:
            wait_until(holds_or_ended, what, seconds)
            ended = not condition()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output}") from None
        if ended:
            raise AssertionError(f"{self._command[0]} ended before: {what}\n{self.output}")

    def send(self, number: signal.Signals) -> None:
        """Send one signal, for example SIGSTOP."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it as ``kill -9`` does, and its children with it, even those in process groups of their own."""
        # Postgres' backends have groups of their own: they notice a moment later and might answer until then.
        children = psutil.Process(self.pid).children(recursive=True) if self._running().poll() is None else []
        self._end(signal.SIGKILL, whole_group=True)
        for child in children:
            with living():
                child.kill()
        psutil.wait_procs(children, timeout=20)

    def wait(self, seconds: float = 20.0) -> int:
        """Wait until it ends by itself and return its exit status."""
        return self._running().wait(seconds)

    def stop(self, seconds: float = 20.0) -> int:
        """Ask it to end, wait, and return its exit status; a program that ended already keeps its own."""
        return self._end(self._stop_signal, seconds=seconds)

    def _end(self, number: signal.Signals, *, whole_group: bool = False, seconds: float = 20.0) -> int:
        process = self._running()
        if process.poll() is None:
            (os.killpg if whole_group else os.kill)(process.pid, number)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"{self._command[0]} didn't end on {number.name}\n{self.output}") from None

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not started"
        return self._process
