"""The compose file refers only to what exists, and starts everything that the tracker needs."""

import re
import subprocess
import tomllib
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from etracker_announce.settings import AnnounceSettings
from etracker_stack.postgres import OPTIONS
from scripts.compose_settings import ComposeSettings

ROOT = Path(__file__).parents[3]
MONITORING = {"prometheus", "grafana"}
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


@pytest.fixture(scope="module")
def monitoring(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: services[name] for name in MONITORING}


def test_each_service_has_its_own_container(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == NAMES | MONITORING


def test_monitoring_runs_only_if_its_profile_is_chosen(services: dict[str, dict[str, Any]]) -> None:
    profiles = {name: service.get("profiles") for name, service in services.items()}
    assert profiles == {**dict.fromkeys(NAMES), **{name: ["monitoring"] for name in MONITORING}}
    assert "ETRACKER_GRAFANA_PASSWORD:?" not in re.sub(r"#.*", "", (ROOT / "compose.yml").read_text())


def test_monitoring_has_no_rights_and_no_open_door(monitoring: dict[str, dict[str, Any]]) -> None:
    for service in monitoring.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in monitoring["prometheus"]
    assert monitoring["grafana"]["ports"] == ["${ETRACKER_GRAFANA_ADDRESS:-127.0.0.1:3002}:3000"]
    assert monitoring["grafana"]["environment"]["GF_AUTH_ANONYMOUS_ENABLED"] == "false"


@pytest.mark.parametrize(
    ("password", "status", "output"), [("", 78, "Set ETRACKER_GRAFANA_PASSWORD"), ("a $b'", 0, "")]
)
def test_grafana_without_a_password_ends_with_a_sentence(
    monitoring: dict[str, dict[str, Any]], password: str, status: int, output: str
) -> None:
    shell, option, script = monitoring["grafana"]["entrypoint"]
    script = script.replace("$$", "$").replace("/run.sh", "true")
    done = subprocess.run(
        [shell, option, script],
        env={"PATH": "/usr/bin:/bin", "GF_SECURITY_ADMIN_PASSWORD": password},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, output in done.stderr) == (status, True)


def test_every_file_that_monitoring_mounts_exists(monitoring: dict[str, dict[str, Any]]) -> None:
    mounted = [volume.split(":")[0] for service in monitoring.values() for volume in service["volumes"]]
    paths = [ROOT / path for path in mounted if path.startswith(".")]
    assert len(paths) == 3
    assert all(path.is_dir() for path in paths)


def test_prometheus_finds_every_service_by_its_name(services: dict[str, dict[str, Any]]) -> None:
    configuration = yaml.safe_load((ROOT / "deploy/monitoring/prometheus.yml").read_text())
    ports = {
        name: discovery["port"]
        for job in configuration["scrape_configs"]
        for discovery in job["dns_sd_configs"]
        for name in discovery["names"]
    }
    observation = int(services["announce"]["environment"]["ETRACKER_OBSERVATION_PORT"])
    gateway = ComposeSettings().gateway_observation_port
    own = dict.fromkeys(("scoring", "scoring_worker", "admin_api"), 8080)
    assert ports == {**own, "announce": observation, "etracker": gateway}


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
        if "SERVICE" not in service["build"]["args"]:
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
    published = {name: services[name]["ports"] for name in NAMES if "ports" in services[name]}
    port = "${ETRACKER_ANNOUNCE_PORT:-3001}"
    assert set(published) == {"etracker", "announce_public"}
    assert published["announce_public"] == [f"{port}:{port}"]
    assert services["announce"]["scale"] == "${ETRACKER_ANNOUNCE_SCALE:-0}"


def test_the_gateway_reaches_every_container_of_announce_under_one_name(services: dict[str, dict[str, Any]]) -> None:
    assert services["announce_public"]["networks"]["default"] == {"aliases": ["announce"]}
    assert {"announce", "announce_public"} <= set(services["etracker"]["depends_on"])


def test_both_kinds_of_announce_have_the_same_settings(services: dict[str, dict[str, Any]]) -> None:
    public, behind = (services[name]["environment"] for name in ("announce_public", "announce"))
    assert {name: public[name] for name in behind} == behind
    assert set(public) - set(behind) == {"ETRACKER_ANNOUNCE_PORT", "ETRACKER_ANNOUNCE_REPLICAS"}


def test_health_and_metrics_are_not_published(services: dict[str, dict[str, Any]]) -> None:
    private = {str(services["announce_public"]["environment"]["ETRACKER_OBSERVATION_PORT"]), "8080", "9180", "9090"}
    assert not [
        port for service in services.values() for port in service.get("ports", []) if private & set(port.split(":"))
    ]


def test_the_health_of_every_process_behind_the_public_port_is_checked(services: dict[str, dict[str, Any]]) -> None:
    service = services["announce_public"]
    (*_, program) = service["healthcheck"]["test"]
    assert program.endswith("/health.sh $$HEALTH_PORT $$ETRACKER_ANNOUNCE_REPLICAS")
    ports = service["build"]["args"]["HEALTH_PORT"], service["environment"]["ETRACKER_OBSERVATION_PORT"]
    assert ports == (AnnounceSettings().observation_port,) * 2


def test_checks_are_frequent_only_until_a_container_is_healthy(services: dict[str, dict[str, Any]]) -> None:
    """A check starts a program in the container, which costs far more than the answer. Images and compose agree."""
    always = [service for service in services.values() if "profiles" not in service]
    checks = [service["healthcheck"] for service in always if "test" in service.get("healthcheck", {})]
    assert len(checks) == 4
    of_images = (ROOT / "deploy" / "Dockerfile").read_text()
    for check in checks:
        assert check["start_period"] in {"60s", "10m"}
        for name in ("interval", "timeout", "start_interval", "retries"):
            assert f"--{name.replace('_', '-')}={check[name]} " in of_images
    assert {check["interval"] for check in checks} == {"15s"}
    assert {check["start_interval"] for check in checks} == {"1s"}


def test_the_images_contain_the_program_that_checks_them() -> None:
    assert "!deploy/health.sh" in (ROOT / ".dockerignore").read_text().splitlines()
    image = (ROOT / "deploy" / "Dockerfile").read_text()
    assert "COPY --chmod=644 deploy/health.sh /opt/etracker/" in image  # readable whatever the umask of the checkout
    assert 'CMD exec bash /opt/etracker/health.sh "$HEALTH_PORT"' in image


def test_only_the_gateways_own_addresses_are_trusted_in_the_containers_network(
    services: dict[str, dict[str, Any]],
) -> None:
    """The kind: a network that is trusted as a whole, in which every container could speak for any client."""
    (network,) = services["etracker"]["networks"].values()
    own = f"{network['ipv4_address']},{network['ipv6_address']}"
    for name in ("announce", "announce_public", "admin_api"):
        trusted = services[name]["environment"]["ETRACKER_TRUSTED_PROXIES"]
        assert trusted == f"{own},${{ETRACKER_GATEWAY_TRUSTED_PROXIES:-127.0.0.0/8,::1}}", name


def test_the_gateways_addresses_are_in_its_subnets() -> None:
    settings = ComposeSettings()
    assert IPv4Address(settings.gateway_ipv4) in IPv4Network(settings.subnet)
    assert IPv6Address(settings.gateway_ipv6) in IPv6Network(settings.subnet_ipv6)


def test_a_service_that_may_be_scaled_keeps_its_number_in_the_environment(services: dict[str, dict[str, Any]]) -> None:
    """A number that only a command named would be gone with the next upgrade."""
    scaled = {name: service["scale"] for name, service in services.items() if "scale" in service}
    assert set(scaled) == {"announce", "scoring", "scoring_worker", "admin_api"}
    for name, scale in scaled.items():
        assert scale == f"${{ETRACKER_{name.upper()}_SCALE:-{0 if name == 'announce' else 1}}}"


def test_a_failing_migration_ends(services: dict[str, dict[str, Any]]) -> None:
    """``docker compose up`` waits for as long as it is restarted."""
    assert re.fullmatch(r"on-failure:\d+", services["migrate"]["restart"])


def test_each_image_of_ours_carries_the_version_of_its_package(services: dict[str, dict[str, Any]]) -> None:
    versions = {
        tomllib.loads(path.read_text())["project"]["version"] for path in ROOT.glob("services/*/pyproject.toml")
    }
    (version,) = versions
    for service in services.values():
        if "build" in service:
            assert service["image"].endswith(f":${{ETRACKER_VERSION:-{version}}}")
            assert service["build"]["args"]["VERSION"] == f"${{ETRACKER_VERSION:-{version}}}"
            label = (ROOT / service["build"]["dockerfile"]).read_text().splitlines()[-1]
            assert "org.opencontainers.image.version=${VERSION}" in label
            assert "org.opencontainers.image.revision=${REVISION}" in label


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
    buffers = re.findall(r"shared_buffers=\$\{\w+:-(\d+)GB\}", str(services["postgres"]["command"]))[0]
    assert default_mebibytes(services["postgres"]) >= 2 * 1024 * int(buffers)
    assert services["redis"]["command"] == ["sh", "/etc/redis/start.sh"]
    script, mounted = next(volume for volume in services["redis"]["volumes"] if "start.sh" in volume).split(":")[:2]
    assert mounted == "/etc/redis/start.sh"
    assert (ROOT / script).exists()


def test_postgres_runs_as_with_make_run(services: dict[str, dict[str, Any]]) -> None:
    program, *options = services["postgres"]["command"]
    given = dict(option.removeprefix("-c").split("=", 1) for option in options)
    assert program == "postgres"
    given = {name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for name, value in given.items()}
    of_the_machine = {"listen_addresses", "unix_socket_directories", "logging_collector"}
    assert given == {name: value for name, value in OPTIONS.items() if name not in of_the_machine}
    assert services["postgres"]["shm_size"] == "128mb"  # for the tables that the processes of one query share


def default_mebibytes(service: dict[str, Any]) -> int:
    number, unit = re.findall(r":-(\d+)([mg])\}", service["mem_limit"])[0]
    return int(number) * (1024 if unit == "g" else 1)
