"""Watches the free space on the disk with the data while the tracker runs."""

import asyncio
import shutil
from pathlib import Path

from etracker_stack.console import Console
from etracker_stack.data_directory import LEAST_FREE_BYTES

MIB = 2**20
FULL_BYTES = 32 * MIB
"""Postgres writes its log ahead in files of 16 MiB, and needs one or two of them to recover from a crash."""
POLL_SECONDS = 1.0
SLACK = 1.25
"""A warning is withdrawn only once the free space is a quarter above the bound."""


class DiskWatch:
    """Reports when the disk is nearly full, when it is full, and when there is room again.

    The processes' own logs can't report it: they are on that disk.
    """

    def __init__(self, path: Path, console: Console) -> None:
        self._path = path
        self._console = console
        self._told: str | None = None

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(POLL_SECONDS)

    def look(self) -> None:
        """Check the disk now, and report a change on the console."""
        free = self._free_bytes()
        slack = SLACK if self._told else 1.0
        if free < FULL_BYTES * (slack if self._told == "full" else 1.0):
            state = "full"
        elif free < LEAST_FREE_BYTES * slack:
            state = "low"
        else:
            state = None
        if state != self._told:
            self._told = state
            self._console.complain(self._sentence(state, free))

    @property
    def is_full(self) -> bool:
        """Whether a process may have ended because the disk is full."""
        return self._free_bytes() < FULL_BYTES

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self._path).free

    def _sentence(self, state: str | None, free: int) -> str:
        if state == "full":
            return (
                f"The disk of {self._path} is full: clients are told to try again, and nothing can be stored; "
                "free some space, and everything recovers by itself."
            )
        if state == "low":
            return f"Only {free // MIB} MiB are free on the disk of {self._path}: free some space before it is full."
        return f"The disk of {self._path} has free space again."
