"""Each service needs only its own directory and shared, installed by the steps of the Dockerfile."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from etracker_stack.services import server_variables
from tests.support.processes import Program, free_ports

pytestmark = [pytest.mark.timeout(600), pytest.mark.full]

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
SERVICES = {"announce": "etracker_announce", "scoring": "etracker_scoring", "admin_api": "etracker_admin_api"}


@dataclass(frozen=True)
class Image:
    """A service, installed as in its image."""

    python: Path
    module: str


def _instructions(name: str) -> list[str]:
    """Return one kind of instruction of the Dockerfile's first stage, in order."""
    first_stage = DOCKERFILE.read_text().split("\nFROM ")[1]
    found = re.findall(rf"^{name} (.*)$", first_stage, re.MULTILINE)
    assert found, f"the Dockerfile has no {name}"
    return found


def _build(service: str, directory: Path) -> Path:
    """Do what the Dockerfile does, in a directory instead of an image; return the interpreter."""
    source, environment = directory / "source", directory / "environment"
    source.mkdir(parents=True)
    chosen = f"services/{service}"
    for copied in _instructions("COPY"):
        origin, target = copied.replace("${SERVICE}", chosen).split()
        _copy(ROOT / origin, source / target, into=target.endswith("/"))
    variables = {
        **os.environ,
        "SERVICE": chosen,
        "PATH": f"{environment}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PIP_NO_COMPILE": "1",  # don't compile modules that aren't imported
    }
    for command in _instructions("RUN"):
        adapted = command.replace("/opt/etracker", str(environment))
        done = subprocess.run(
            ["sh", "-c", adapted], cwd=source, env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(source)
    return environment / "bin" / "python"


def _copy(origin: Path, target: Path, *, into: bool) -> None:
    target = target / origin.name if into else target
    target.parent.mkdir(parents=True, exist_ok=True)
    if origin.is_dir():
        shutil.copytree(origin, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    else:
        shutil.copy(origin, target)


@pytest.fixture(scope="module")
def images() -> Iterator[dict[str, Image]]:
    with tempfile.TemporaryDirectory(prefix="etracker-images-") as directory, ThreadPoolExecutor() as executor:
        built = {name: executor.submit(_build, name, Path(directory) / name) for name in SERVICES}
        yield {name: Image(python.result(), SERVICES[name]) for name, python in built.items()}


def test_no_environment_can_import_another_service(images: dict[str, Image]) -> None:
    for image in images.values():
        others = [*(set(SERVICES.values()) - {image.module}), "etracker_stack", "etracker_migrations"]
        for other in others:
            done = subprocess.run([image.python, "-c", f"import {other}"], capture_output=True, text=True, check=False)
            assert f"No module named '{other}'" in done.stderr, (image.module, other)


def test_every_service_starts_from_its_own_environment_and_is_healthy(
    images: dict[str, Image], postgres_settings: PostgresSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    known = {
        "PATH": os.environ["PATH"],
        **server_variables(postgres_settings, redis_settings),
        "ETRACKER_LISTEN_HOST": "127.0.0.1",
    }
    observation_port, *free = free_ports(1 + len(images))
    ports = dict(zip(images, free, strict=True))
    known["ETRACKER_OBSERVATION_PORT"] = str(observation_port)
    known["ETRACKER_SCORING_URL"] = f"http://127.0.0.1:{ports['scoring']}"
    with ExitStack() as stack, httpx.Client() as client:
        for service, image in images.items():
            variables = {**known, "ETRACKER_LISTEN_PORT": str(ports[service])}
            command: list[str | Path] = [image.python, "-m", image.module]
            program = stack.enter_context(Program(command, log=tmp_path / service, environment=variables))
            ready = f"http://127.0.0.1:{observation_port if service == 'announce' else ports[service]}/readyz"
            program.wait_until(lambda ready=ready: _answers(client, ready), f"{service} is ready", 60)  # type: ignore[misc]


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == 200
    except httpx.TransportError:
        return False
