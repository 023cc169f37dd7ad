"""The compose file names what exists, and starts everything that the tracker needs."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from etracker_announce.settings import AnnounceSettings

ROOT = Path(__file__).parents[3]
NAMES = {"etracker", "announce", "scoring", "scoring_worker", "admin_api", "migrate", "postgres", "redis"}


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    compose = yaml.safe_load((ROOT / "compose.yml").read_text())
    return dict(compose["services"])


def test_there_is_one_container_a_service(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == NAMES


def test_starting_the_gateway_starts_everything(services: dict[str, dict[str, Any]]) -> None:
    started, waiting = set(), ["etracker"]
    while waiting:
        name = waiting.pop()
        started.add(name)
        waiting += services[name].get("depends_on", {})
    assert started == NAMES


def test_everything_that_is_waited_for_has_a_health_check(services: dict[str, dict[str, Any]]) -> None:
    waited_for = {
        name
        for service in services.values()
        for name, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert "HEALTHCHECK" in (ROOT / "deploy" / "Dockerfile").read_text()
    assert not [name for name in waited_for if "healthcheck" not in services[name] and "build" not in services[name]]


def test_every_image_is_built_from_a_directory_and_runs_a_module(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        if "build" not in service:
            continue
        assert (ROOT / service["build"]["dockerfile"]).exists()
        if "args" not in service["build"]:
            continue  # the gateway, whose Dockerfile says all
        assert (ROOT / service["build"]["args"]["SERVICE"] / "requirements.txt").exists()
        assert find_spec(service["command"][0]) is not None


def test_all_that_the_gateway_s_image_is_made_of_is_there_and_reaches_docker() -> None:
    copies = re.findall(r"^COPY ([^-].*) \S+$", (ROOT / "deploy/gateway/Dockerfile").read_text(), re.MULTILINE)
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    sources = [source for copy in copies for source in copy.split()]
    assert len(sources) == 7
    for source in sources:
        assert (ROOT / source).exists()
        assert any(source == one or source.startswith(f"{one}/") for one in let_through), source


def test_the_frontend_s_lock_doesn_t_know_where_packages_came_from() -> None:
    assert '"resolved"' not in (ROOT / "frontend/package-lock.json").read_text()


def test_only_the_gateway_has_a_public_port(services: dict[str, dict[str, Any]]) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["etracker"]


def test_announce_is_observed_on_a_port_of_its_own(services: dict[str, dict[str, Any]]) -> None:
    port = AnnounceSettings().observation_port
    assert services["announce"]["build"]["args"]["HEALTH_PORT"] == port
    assert services["admin_api"]["environment"]["ETRACKER_ANNOUNCE_URL"] == f"http://announce:{port}"


def test_the_example_names_the_variables_that_have_no_default() -> None:
    needed = set(re.findall(r"\$\{(\w+):\?", (ROOT / "compose.yml").read_text()))
    example = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert needed <= example
    original = {"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "ETRACKER_AUTHORIZATION", "ETRACKER_REDIS"}
    assert original | {"ETRACKER_FRONTEND_HOSTNAME", "ETRACKER_BACKEND_PORT", "ETRACKER_DISABLE_ALLOWLIST"} <= example


def test_no_lock_file_knows_where_packages_came_from() -> None:
    locks = [*ROOT.glob("requirements-dev.txt"), *ROOT.glob("*/requirements.txt"), *ROOT.glob("*/*/requirements.txt")]
    assert len(locks) == 7
    for lock in locks:
        text = lock.read_text()
        assert "://" not in text
        assert text.count("--hash=sha256:") > text.count("==") > 0
