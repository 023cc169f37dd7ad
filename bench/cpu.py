"""CPU time of process trees, from ``/proc``."""

import os
from collections.abc import Mapping
from pathlib import Path

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")

# Fields of /proc/<pid>/stat after the command's closing parenthesis.
_PARENT = 1
_TIMES = slice(11, 15)  # utime, stime, and those of children that ended and were waited for


def cpu_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU time of each process since its start, including all its threads and descendants.

    ``roots``: role to pid. The time of a child that ends between two readings is added to its parent's time, so
    the difference of two readings misses nothing.
    """
    parents, times = _read_all()
    owners = {pid: role for role, pid in roots.items()}
    sums = dict.fromkeys(roots, 0.0)
    for pid, seconds in times.items():
        role = _owner(pid, parents, owners)
        if role is not None:
            sums[role] += seconds
    return sums


def _owner(pid: int, parents: Mapping[int, int], owners: Mapping[int, str]) -> str | None:
    while pid > 1:
        if pid in owners:
            return owners[pid]
        pid = parents.get(pid, 0)
    return None


def _read_all() -> tuple[dict[int, int], dict[int, float]]:
    parents: dict[int, int] = {}
    times: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended while we were reading
        parents[int(entry.name)] = int(fields[_PARENT])
        times[int(entry.name)] = sum(map(int, fields[_TIMES])) * TICK_SECONDS
    return parents, times
