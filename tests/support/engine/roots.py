"""Root file systems of Debian releases, and one with an engine in it."""

import re
import shutil
from pathlib import Path

from tests.support.engine.commands import EngineError, run, say

ENGINE_SUITE = "sid"
"""It has Docker 28, which the product needs."""
ENGINE_PACKAGES = "docker.io docker-cli docker-compose docker-buildx iptables iproute2 procps kmod ca-certificates git"
_SOURCES = Path("/etc/apt")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def root_archive(cache: Path, suite: str) -> Path:
    """Return a tar archive with the smallest root of a Debian release, made by debootstrap unless it is there."""
    archive = cache / "roots" / f"{suite}.tar"
    if archive.exists():
        return archive
    say(f"debootstrap of {suite} (about a minute)")
    root = cache / "roots" / suite
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    run("debootstrap", "--variant=minbase", "--include=ca-certificates", suite, root, mirror(), log=_log(cache, suite))
    # The mirror may be frozen at a date.
    (root / "etc/apt/apt.conf.d/99valid").write_text('Acquire::Check-Valid-Until "false";\n')
    left_out = ["--exclude=./var/cache/apt/archives/*.deb", "--exclude=./var/lib/apt/lists/*"]
    unfinished = archive.with_suffix(".unfinished")
    run("tar", "-C", root, *left_out, "-cf", unfinished, ".")
    unfinished.rename(archive)
    shutil.rmtree(root)
    return archive


def engine_root(cache: Path) -> Path:
    """Return a root with the engine, made unless it is there."""
    root, unfinished = cache / "engine", cache / "engine.unfinished"
    if root.exists():
        return root
    archive = root_archive(cache, ENGINE_SUITE)
    say("installing the engine (about half a minute)")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    run("tar", "-C", unfinished, "-xf", archive)
    shutil.copy("/etc/resolv.conf", unfinished / "etc/resolv.conf")
    shutil.copy(_CERTIFICATES, unfinished / "etc/ssl/certs/")
    install = f"apt-get update && apt-get install -y --no-install-recommends {ENGINE_PACKAGES}"
    script = f"mount -t proc proc {unfinished}/proc && DEBIAN_FRONTEND=noninteractive exec chroot {unfinished} sh -c"
    run("unshare", "--mount", "sh", "-c", f"{script} '{install}'", log=_log(cache, "engine"))
    unfinished.rename(root)
    return root


def mirror() -> str:
    """Return the mirror that this machine installs its own packages from."""
    files = [_SOURCES / "sources.list", *sorted((_SOURCES / "sources.list.d").glob("*"))]
    for file in files:
        text = file.read_text() if file.is_file() else ""
        found = re.search(r"^(?:URIs:|deb(?: \[[^]]*\])?) *(http\S+/debian/?)\s*(?: |$)", text, re.MULTILINE)
        if found:
            return found[1]
    raise EngineError("The machine's apt has no Debian mirror over HTTP, which debootstrap needs.")


def _log(cache: Path, name: str) -> Path:
    (cache / "logs").mkdir(exist_ok=True)
    return cache / "logs" / f"{name}.log"
