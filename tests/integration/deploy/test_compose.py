"""The compose file refers only to what exists, and starts everything that the tracker needs."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from etracker_announce.settings import AnnounceSettings

ROOT = Path(__file__).parents[3]
NAMES = {
    "etracker",
    "announce_public",
    "announce",
    "scoring",
    "scoring_worker",
    "admin_api",
    "migrate",
    "postgres",
    "redis",
}


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    compose = yaml.safe_load((ROOT / "compose.yml").read_text())
    return dict(compose["services"])


def test_each_service_has_its_own_container(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == NAMES


def test_starting_the_gateway_starts_everything(services: dict[str, dict[str, Any]]) -> None:
    started, waiting = set(), ["etracker"]
    while waiting:
        name = waiting.pop()
        started.add(name)
        waiting += services[name].get("depends_on", {})
    assert started == NAMES


def test_every_container_that_others_wait_for_has_a_health_check(services: dict[str, dict[str, Any]]) -> None:
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
            continue  # the gateway, whose Dockerfile contains everything
        assert (ROOT / service["build"]["args"]["SERVICE"] / "requirements.txt").exists()
        assert find_spec(service["command"][0]) is not None


def test_everything_that_the_gateways_image_is_built_from_exists_and_is_sent_to_docker() -> None:
    copies = re.findall(r"^COPY ([^-].*) \S+$", (ROOT / "deploy/gateway/Dockerfile").read_text(), re.MULTILINE)
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    sources = [source for copy in copies for source in copy.split()]
    assert len(sources) == 7
    for source in sources:
        assert (ROOT / source).exists()
        assert any(source == one or source.startswith(f"{one}/") for one in let_through), source


def test_the_frontends_lock_file_doesnt_record_where_packages_came_from() -> None:
    assert '"resolved"' not in (ROOT / "frontend/package-lock.json").read_text()


def test_the_gateway_and_one_container_of_announce_have_a_public_port_each(services: dict[str, dict[str, Any]]) -> None:
    """A container with a published port can't be scaled, so that ``--scale announce`` adds others."""
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    port = "${ETRACKER_ANNOUNCE_PORT:-3001}"
    assert set(published) == {"etracker", "announce_public"}
    assert published["announce_public"] == [f"{port}:{port}"]
    assert services["announce"]["scale"] == 0


def test_the_gateway_reaches_every_container_of_announce_under_one_name(services: dict[str, dict[str, Any]]) -> None:
    assert services["announce_public"]["networks"]["default"] == {"aliases": ["announce"]}
    assert {"announce", "announce_public"} <= set(services["etracker"]["depends_on"])


def test_both_kinds_of_announce_have_the_same_settings(services: dict[str, dict[str, Any]]) -> None:
    public, behind = (services[name]["environment"] for name in ("announce_public", "announce"))
    assert {name: public[name] for name in behind} == behind
    assert set(public) - set(behind) == {"ETRACKER_ANNOUNCE_PORT", "ETRACKER_ANNOUNCE_REPLICAS"}


def test_health_and_metrics_are_not_published(services: dict[str, dict[str, Any]]) -> None:
    private = {str(services["announce_public"]["environment"]["ETRACKER_OBSERVATION_PORT"]), "8080"}
    assert not [
        port for service in services.values() for port in service.get("ports", []) if private & set(port.split(":"))
    ]


def test_the_health_of_every_process_behind_the_public_port_is_checked(services: dict[str, dict[str, Any]]) -> None:
    service = services["announce_public"]
    (*_, program) = service["healthcheck"]["test"]
    assert f"{service['environment']['ETRACKER_OBSERVATION_PORT']} + n" in program
    assert "for n in range(int(os.environ['ETRACKER_ANNOUNCE_REPLICAS']))" in program


def test_the_log_of_every_container_is_bounded(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert service["logging"]["driver"] == "json-file", name
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}, name


def test_announce_has_a_separate_observation_port(services: dict[str, dict[str, Any]]) -> None:
    port = AnnounceSettings().observation_port
    assert services["announce"]["build"]["args"]["HEALTH_PORT"] == port
    assert services["admin_api"]["environment"]["ETRACKER_ANNOUNCE_URL"] == f"http://announce_public:{port}"


def test_the_example_contains_the_variables_that_have_no_default() -> None:
    needed = set(re.findall(r"\$\{(\w+):\?", (ROOT / "compose.yml").read_text()))
    example = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert needed <= example
    original = {"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "ETRACKER_AUTHORIZATION", "ETRACKER_REDIS"}
    assert original | {"ETRACKER_FRONTEND_HOSTNAME", "ETRACKER_BACKEND_PORT", "ETRACKER_DISABLE_ALLOWLIST"} <= example


def environments(services: dict[str, dict[str, Any]], variables: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return what each container gets from an .env file with these variables."""

    def fill(value: object) -> str:
        return re.sub(
            r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: variables.get(found[1]) or found[2] or "", str(value)
        )

    return {
        name: {
            **(variables if service.get("env_file") else {}),
            **{
                variable: variables.get(variable, "")
                if value is None
                else fill(value)  # without a value it's taken from .env
                for variable, value in service.get("environment", {}).items()
            },
        }
        for name, service in services.items()
    }


@pytest.mark.parametrize("variable", ["ETRACKER_AUTHORIZATION", "ETRACKER_AUTHORIZATION_FILE"])
def test_a_new_key_of_the_first_operator_recreates_only_the_admin_api(
    services: dict[str, dict[str, Any]], variable: str
) -> None:
    before, after = (environments(services, {variable: value}) for value in ("one value", "another value"))
    assert {name for name in NAMES if before[name] != after[name]} == {"admin_api"}
    assert {name for name in NAMES if "another value" in after[name].values()} == {"admin_api"}


def test_no_lock_file_records_where_packages_came_from() -> None:
    locks = [*ROOT.glob("requirements-dev.txt"), *ROOT.glob("*/requirements.txt"), *ROOT.glob("*/*/requirements.txt")]
    assert len(locks) == 7
    for lock in locks:
        text = lock.read_text()
        assert "://" not in text
        assert text.count("--hash=sha256:") > text.count("==") > 0


def test_every_container_has_limits_that_the_environment_can_change(services: dict[str, dict[str, Any]]) -> None:
    example = (ROOT / ".env.example").read_text()
    for name, service in services.items():
        assert service["memswap_limit"] == service["mem_limit"], name
        for bound in ("mem_limit", "cpus"):
            found = re.fullmatch(r"\$\{(\w+):-[\d.]+[mg]?\}", str(service[bound]))
            assert found, (name, bound)
            assert found[1] in example, found[1]
        assert service["pids_limit"] > 0


def test_postgres_and_redis_fit_into_their_containers(services: dict[str, dict[str, Any]]) -> None:
    buffers = int(re.findall(r"shared_buffers=\$\{\w+:-(\d+)MB\}", str(services["postgres"]["command"]))[0])
    assert default_mebibytes(services["postgres"]) >= 4 * buffers
    assert services["redis"]["command"] == ["sh", "/etc/redis/start.sh"]
    script, mounted = next(volume for volume in services["redis"]["volumes"] if "start.sh" in volume).split(":")[:2]
    assert mounted == "/etc/redis/start.sh"
    assert (ROOT / script).exists()


def default_mebibytes(service: dict[str, Any]) -> int:
    number, unit = re.findall(r":-(\d+)([mg])\}", service["mem_limit"])[0]
    return int(number) * (1024 if unit == "g" else 1)
