"""The available memory: the machine's, or the limit of the control group that we run in."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

MIB = 2**20
LEAST_REDIS_BYTES = 32 * MIB

_REDIS_SHARE = 4
"""Redis gets a quarter: Postgres and the services share the machine, and rewriting the append-only file needs room."""


def redis_max_memory(available_bytes: int) -> int:
    """Return how much memory the embedded Redis may use for its data by default."""
    return max(LEAST_REDIS_BYTES, available_bytes // _REDIS_SHARE // MIB * MIB)


def available_memory(root: Path = Path("/")) -> int:
    """Return, in bytes, the machine's memory or the smallest limit of this process's control groups."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_group_limits(root)])


def _group_limits(root: Path) -> Iterator[int]:
    for file in _limit_files(root):
        try:
            text = file.read_text().strip()
        except OSError:  # a group above the container's own, which is invisible inside
            continue
        if text.isdigit():  # "max" means no limit
            yield int(text)


def _limit_files(root: Path) -> Iterator[Path]:
    """Yield the files that may contain limits: version 2 has one hierarchy, version 1 a separate one for memory."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            folder, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            folder, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        group = PurePosixPath(path).relative_to("/")
        yield from (folder / above / name for above in (group, *group.parents))
