"""dockerd in namespaces of its own: when it ends, every container ends with it."""

import json
import shutil
import signal
import subprocess
from pathlib import Path

import psutil

from tests.support.engine.commands import EngineError, attempt
from tests.support.engine.network import Network
from tests.support.processes import Program, wait_until

# pivot_root instead of chroot: runc needs a root that is a mount point. The process namespace makes sure that nothing
# is left when dockerd is killed.
_START = """
set -e
if [ -d "$GROUP" ]; then echo 0 > "$GROUP/cgroup.procs"; fi
mount --bind "$R" "$R"
mount -t proc proc "$R/proc"
mount --rbind /dev "$R/dev"
mount -t sysfs sysfs "$R/sys"
mount -t tmpfs -o mode=755 tmpfs "$R/sys/fs/cgroup"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount --rbind /sys/fs/cgroup "$R/sys/fs/cgroup"
else
    for group in /sys/fs/cgroup/*/; do
        mkdir -p "$R/sys/fs/cgroup/$(basename "$group")"
        mount --bind "$group" "$R/sys/fs/cgroup/$(basename "$group")"
    done
fi
mount -t tmpfs -o mode=755 tmpfs "$R/run"
mkdir -p "$R$CACHE" "$R/oldroot"
mount --bind "$CACHE" "$R$CACHE"
cd "$R"
pivot_root . oldroot
cd /
umount -l /oldroot
exec dockerd -H unix:///run/docker.sock --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$NAME"
"""

# nsenter instead of `ip netns exec`, which hides the cgroups.
_DOCKER = """#!/bin/sh
if [ -d {group} ]; then echo 0 > {group}/cgroup.procs; fi
exec nsenter -t {pid} -m -n -u -p -r -- env -u DOCKER_HOST PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \\
    sh -c 'cd "$0" 2>/dev/null || cd /; exec docker "$@"' "$PWD" "$@"
"""


_CPU_SHARES = "8192"
"""Eight times that of a process."""


class Daemon:
    """One dockerd. ``docker`` is a program that runs the client next to it, in the caller's directory."""

    def __init__(self, root: Path, cache: Path, network: Network) -> None:
        self._root, self._cache, self._network = root, cache, network
        self.docker = cache / "run" / "bin" / "docker"
        self._group = Path("/sys/fs/cgroup/cpu", network.engine, "daemon")
        self._log = cache / "run" / "dockerd.log"
        self._log.unlink(missing_ok=True)
        namespaces = ["--uts", "--ipc", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        self._program = Program(
            ["nsenter", f"--net=/run/netns/{network.engine}", "unshare", *namespaces, "bash", "-c", _START],
            log=self._log,
            environment={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/root",
                "R": str(root),
                "CACHE": str(cache),
                "NAME": network.engine,
                "GROUP": str(self._group),
            },
        )

    def start(self) -> None:
        """Start it, and return when it takes commands."""
        self._make_control_group()
        self._forget_containers()
        shutil.copy("/etc/resolv.conf", self._root / "etc/resolv.conf")
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", self._root / "etc/ssl/certs/")
        self._program.start()
        self._program.wait_until(lambda: "API listen on" in self._program.output, "dockerd listens", 120)
        self.docker.parent.mkdir(parents=True, exist_ok=True)
        self.docker.write_text(_DOCKER.format(pid=self._pid(), group=self._group))
        self.docker.chmod(0o755)

    def stop(self) -> None:
        """End it and all containers, and remove their control groups."""
        if self._program.running:
            psutil.Process(self._pid()).send_signal(signal.SIGTERM)
            try:
                wait_until(lambda: not self._program.running, "dockerd ends", 30)
            except AssertionError:
                self._program.kill()
        for directory in Path("/sys/fs/cgroup").glob(f"**/{self._network.engine}"):
            attempt(["find", str(directory), "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"])

    def _forget_containers(self) -> None:
        """Remove what a run that was ended has left: dockerd would start those containers again."""
        data = self._root / "var/lib/docker"
        for kind in ("containers", "volumes", "network", "image/overlay2/layerdb/mounts"):
            shutil.rmtree(data / kind, ignore_errors=True)

    def _make_control_group(self) -> None:
        """Let the engine and its containers have as much CPU time as several processes.

        With version 1, a group counts as one process by default. The engine itself is in a group next to those of
        containers: otherwise it starts the next container only when the one before has nothing left to do.
        """
        if self._group.parents[1].exists():  # with version 2, all processes are in groups
            self._group.mkdir(parents=True, exist_ok=True)
            (self._group.parent / "cpu.shares").write_text(_CPU_SHARES)

    def _pid(self) -> int:
        (child,) = psutil.Process(self._program.pid).children()
        return child.pid


def works(docker: str = "docker") -> bool:
    """Return whether the machine has an engine that this account may use, with compose."""
    if shutil.which(docker) is None:
        return False
    return attempt([docker, "compose", "version"]) and attempt([docker, "version", "--format", "{{.Server.Version}}"])


def own_address() -> str:
    """Return the address of this machine that packets to the outside come from."""
    try:
        routes = json.loads(subprocess.check_output(["ip", "-json", "route", "get", "192.0.2.1"]))
    except (OSError, subprocess.CalledProcessError) as error:
        raise EngineError("This machine has no address that clients could use.") from error
    return str(routes[0]["prefsrc"])
