"""Versions of Docker that the containers don't run with are refused with a sentence before anything is changed."""

import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[3] / "deploy"


def check(engine: str, compose: str) -> tuple[int, str]:
    command = ["sh", str(DEPLOY / "docker_versions.sh"), engine, compose]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.parametrize("engine", ["27.0.3", "28.5.2+dfsg4", "29.0.0"])
@pytest.mark.parametrize("compose", ["2.24.0", "v2.40.3+ds1-1", "5.0.0-desktop.1"])
def test_newer_versions_are_silently_accepted(engine: str, compose: str) -> None:
    assert check(engine, compose) == (0, "")


@pytest.mark.parametrize(("engine", "compose"), [("20.10.24+dfsg1", "2.40.0"), ("24.0.9", "2.40.0")])
def test_an_older_engine_is_refused_with_what_is_needed(engine: str, compose: str) -> None:
    expected = f"etracker: Docker Engine {engine} is too old: install 25.0 or newer.\n"
    assert check(engine, compose) == (1, expected)


@pytest.mark.parametrize("compose", ["1.29.2", "2.6.1", "2.23.3"])
def test_an_older_compose_is_refused_with_what_is_needed(compose: str) -> None:
    expected = f"etracker: Docker Compose {compose} is too old: install 2.24 or newer.\n"
    assert check("28.0.0", compose) == (1, expected)


def test_an_engine_that_hides_ipv6_clients_is_named() -> None:
    status, told = check("26.1.5+dfsg1", "2.26.1-4")
    assert status == 0
    assert "Docker Engine 26.1.5+dfsg1 every IPv6 client appears" in told


def test_the_upgrade_begins_with_this_check() -> None:
    commands = [
        line for line in (DEPLOY / "upgrade.sh").read_text().splitlines() if line.startswith(("sh ", "docker "))
    ]
    assert commands[0] == "sh deploy/docker_versions.sh"
