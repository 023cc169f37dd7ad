"""Bring up an engine, run a command that uses it, and undo everything.

    python -m tests.support.engine COMMAND [ARGUMENT ...]

The command gets the engine's place in its environment, and ``docker`` on its PATH. This opens a shell for trying the
product's containers by hand: ``python -m tests.support.engine bash``. ETRACKER_ENGINE_CACHE names the directory with
what makes the next run fast (/var/tmp/etracker-containers by default).
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.support.engine.commands import EngineError, say
from tests.support.engine.daemon import Daemon, own_address, works
from tests.support.engine.network import free_network, undo
from tests.support.engine.place import Place
from tests.support.engine.roots import engine_root
from tests.support.engine.standins import build_stand_ins, needed_images
from tests.support.processes import free_ports
from tests.support.versions import ROOT, last_release, previous_commit, read_at

CACHE_VARIABLE = "ETRACKER_ENGINE_CACHE"
DEFAULT_CACHE = "/var/tmp/etracker-containers"
_PROGRAMS = ("debootstrap", "iptables", "ip", "nsenter", "unshare")
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def engine() -> Iterator[tuple[Place, list[str]]]:
    """Provide an engine, and the words before a command that let it run where the clients are."""
    if works():
        say("using the engine of this machine")
        with tempfile.TemporaryDirectory(prefix="etracker-engine-") as directory:
            address = own_address()
            ports = dict(zip(("port", "announce_port"), free_ports(2), strict=True))
            yield Place("docker", directory, address, "::1", (address,), private=False, **ports), []
    else:
        with _cache() as cache, _own_engine(cache) as found:
            yield found


@contextmanager
def _cache() -> Iterator[Path]:
    """Lock the cache, and undo what a killed run has left."""
    cache = Path(os.environ.get(CACHE_VARIABLE) or DEFAULT_CACHE).resolve()
    for name in ("run", "logs", "roots"):
        (cache / name).mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EngineError(f"Another run uses {cache}: wait for it, or set {CACHE_VARIABLE}.") from None
        record = cache / "run" / "undo.json"
        if record.exists():
            undo(json.loads(record.read_text()))
        shutil.rmtree(cache / "run")
        (cache / "run").mkdir()
        yield cache


@contextmanager
def _own_engine(cache: Path) -> Iterator[tuple[Place, list[str]]]:
    _check_means()
    root = engine_root(cache)
    network = free_network()
    daemon = Daemon(root, cache, network)
    record = cache / "run" / "undo.json"
    try:
        network.open(record)
        say("starting dockerd")
        daemon.start()
        build_stand_ins(daemon.docker, cache, _images_of_all_versions())
        checkouts = cache / "run" / "checkouts"
        checkouts.mkdir()
        addresses = network.tracker, network.tracker_ipv6, network.client_addresses()
        place = Place(str(daemon.docker), str(checkouts), *addresses, port=3000, announce_port=3001, private=True)
        yield place, ["nsenter", f"--net=/run/netns/{network.clients}"]
    finally:
        say("removing the engine")
        daemon.stop()
        network.close()
        record.unlink(missing_ok=True)


def _images_of_all_versions() -> set[str]:
    """Return the official images of this checkout and of the versions that upgrades start from."""
    names = needed_images(lambda path: (ROOT / path).read_text())
    for commit in (previous_commit(), last_release()):
        names |= needed_images(partial(read_at, commit))
    return names


def _check_means() -> None:
    if os.geteuid() != 0:
        raise EngineError("Only root can bring up an engine. Start Docker, or run this as root.")
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        raise EngineError(f"Missing: {', '.join(missing)}. Run 'make install-system'.")


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    """Run the command and return its exit status."""
    if len(sys.argv) < 2:
        raise SystemExit("usage: python -m tests.support.engine COMMAND [ARGUMENT ...]")
    for number in _ENDING:
        signal.signal(number, _end)
    try:
        with engine() as (place, entering):
            path = f"{Path(place.docker).parent}:{os.environ['PATH']}" if place.private else os.environ["PATH"]
            environment = {**os.environ, **place.variables(), "PATH": path, "ETRACKER_TEST_ADDRESS": place.tracker}
            with subprocess.Popen([*entering, *sys.argv[1:]], env=environment) as process:
                try:
                    return process.wait()
                finally:
                    process.send_signal(signal.SIGINT)  # tests remove what they have started
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
