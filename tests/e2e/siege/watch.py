"""How a siege affects the tracker's memory and disk, measured repeatedly."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.processes import living
from tests.support.stack import StackRun

MIB = 2**20
GROWTH, SLACK_BYTES = 1.15, 16 * MIB
"""How much more memory a process may take at the end than after the first quarter: allocators fluctuate."""
DISK_BYTES_PER_HOUR = 10**9


@dataclass
class Look:
    """One measurement. ``memory``: each process' own bytes. ``disk``: bytes of each folder in the data directory."""

    seconds: float
    memory: dict[str, int]
    disk: dict[str, int]


@dataclass
class Watch:
    """Measures a running stack."""

    stack: StackRun
    looks: list[Look] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        """Measure everything now."""
        memory = {name: _memory_of(psutil.Process(pid)) for name, pid in self.stack.pids().items()}
        disk = {folder.name: _disk_of(folder) for folder in self.stack.data.iterdir() if folder.is_dir()}
        self.looks.append(Look(time.monotonic() - self._began, memory, disk))

    def line(self) -> str:
        """Return the last measurement in one line."""
        last = self.looks[-1]
        memory = ", ".join(f"{name} {size // MIB}" for name, size in last.memory.items())
        disk = ", ".join(f"{name} {size // MIB}" for name, size in last.disk.items())
        return f"[{last.seconds:5.0f} s] memory MiB: {memory}; disk MiB: {disk}"

    def table(self) -> str:
        """Return the memory of every process, in MiB, after each quarter of the time."""
        quarters = [self.looks[(len(self.looks) - 1) * quarter // 4] for quarter in range(1, 5)]
        rows = [f"{'MiB after':<16}" + "".join(f"{look.seconds:8.0f} s" for look in quarters)]
        rows += [_row(name, [look.memory.get(name, 0) for look in quarters]) for name in quarters[-1].memory]
        rows += [_row(f"{name}/", [look.disk.get(name, 0) for look in quarters]) for name in quarters[-1].disk]
        rows.append(f"disk: {self._disk_per_hour() / 10**9:.2f} GB per hour")
        return "\n".join(rows)

    def assert_flat(self) -> None:
        """Compare the last quarter with the second: caches fill up during the first.

        Raises:
            AssertionError: a process or the disk grew.
        """
        quarter = len(self.looks) // 4
        second, last = self.looks[quarter : 2 * quarter], self.looks[-quarter:]
        for name in last[-1].memory:
            before, after = (max(look.memory[name] for look in looks) for looks in (second, last))
            assert after <= before * GROWTH + SLACK_BYTES, f"{name} grew from {before // MIB} to {after // MIB} MiB"
        assert self._disk_per_hour() < DISK_BYTES_PER_HOUR

    def _disk_per_hour(self) -> float:
        first, last = self.looks[len(self.looks) // 4], self.looks[-1]
        grown = sum(last.disk.values()) - sum(first.disk.values())
        return grown / (last.seconds - first.seconds) * 3600


def _row(name: str, sizes: Sequence[int]) -> str:
    return f"{name:<16}" + "".join(f"{size / MIB:10.1f}" for size in sizes)


def _memory_of(process: psutil.Process) -> int:
    """Return the memory that only this process and its children take: a setting bounds Postgres' shared pages."""
    return sum(map(_own_memory_of, [process, *process.children(recursive=True)]))


def _own_memory_of(process: psutil.Process) -> int:
    with living():
        return int(process.memory_full_info().uss)
    return 0


def _disk_of(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).stat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total
