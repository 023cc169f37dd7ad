"""How much memory Redis may use: from the machine, from control groups of both versions, or as it is set."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from etracker_stack.memory import LEAST_REDIS_BYTES, MIB, available_memory, redis_max_memory
from etracker_stack.settings import StackSettings


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def test_the_machine_counts_where_there_are_no_groups(tmp_path: Path) -> None:
    assert available_memory(tmp_path) > 64 * MIB


@pytest.mark.parametrize("limited", ["", "system.slice", "system.slice/etracker.service"])
def test_the_smallest_limit_of_the_groups_above_counts(tmp_path: Path, limited: str) -> None:
    write(tmp_path, "proc/self/cgroup", "0::/system.slice/etracker.service\n")
    for group in ("", "system.slice", "system.slice/etracker.service"):
        limit = f"{64 * MIB}" if group == limited else "max"
        write(tmp_path, f"sys/fs/cgroup/{group}/memory.max", f"{limit}\n")
    assert available_memory(tmp_path) == 64 * MIB


def test_groups_of_version_1_count(tmp_path: Path) -> None:
    write(tmp_path, "proc/self/cgroup", "9:cpu,cpuacct:/\n4:memory:/docker/abc\n0::/\n")
    write(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", f"{48 * MIB}\n")  # what a container sees as its root
    assert available_memory(tmp_path) == 48 * MIB


def test_version_1_writes_no_limit_as_a_huge_one(tmp_path: Path) -> None:
    write(tmp_path, "proc/self/cgroup", "4:memory:/\n")
    write(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    assert available_memory(tmp_path) == available_memory(tmp_path / "nowhere")


def test_redis_gets_a_quarter_but_enough_to_work() -> None:
    assert redis_max_memory(2048 * MIB) == 512 * MIB
    assert redis_max_memory(64 * MIB) == LEAST_REDIS_BYTES


@pytest.mark.parametrize(
    ("text", "size"),
    [("64mb", 64 * MIB), (" 64MB ", 64 * MIB), ("64m", 64_000_000), ("50000k", 50_000_000), ("70000000", 70_000_000)],
)
def test_a_size_is_read_as_redis_reads_it(monkeypatch: pytest.MonkeyPatch, text: str, size: int) -> None:
    monkeypatch.setenv("ETRACKER_REDIS_MAXMEMORY", text)
    assert StackSettings().redis_maxmemory == size


@pytest.mark.parametrize("text", ["plenty", "1.5gb", "-64mb", "0", "31mb", "64 mb x", "100000gb"])
def test_a_size_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ETRACKER_REDIS_MAXMEMORY", text)
    with pytest.raises(ValidationError, match="it must be"):
        StackSettings()
