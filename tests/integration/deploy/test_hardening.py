"""What a container may do: no more than it needs, whatever the rest of compose.yml or .env says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
STORES = {"postgres", "redis"}
TIERS = {  # by container: what it can reach
    "etracker": {"default"},
    **{name: {"default", "stores"} for name in ("announce", "announce_public", "admin_api")},
    "prometheus": {"default", "stores"},
    "grafana": {"default"},
    **{name: {"stores"} for name in ("scoring", "scoring_worker", "migrate", "postgres", "redis")},
}
CAPABILITIES = {
    "etracker": {"NET_BIND_SERVICE"},
    "postgres": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"},
    "redis": {"CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"},
}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_change_nothing_but_its_volumes_and_gains_no_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert set(service.get("cap_add", [])) == CAPABILITIES.get(name, set())
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_limits(name: str) -> None:
    assert {"cpus", "pids_limit", "mem_limit", "memswap_limit"} <= set(SERVICES[name])


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_in_the_networks_of_its_tier(name: str) -> None:
    assert set(SERVICES[name].get("networks", {"default"})) == TIERS[name]


def test_the_gateway_shares_no_network_with_a_store() -> None:
    assert not [name for name in STORES if TIERS[name] & TIERS["etracker"]]


def test_every_network_carries_ipv6_and_the_one_with_the_public_ports_sorts_first() -> None:
    """The engine publishes a container's ports on the first of its networks by name, which has to carry IPv6."""
    networks = COMPOSE["networks"]
    assert sorted(networks) == ["default", "stores"]
    for network in networks.values():
        assert network["enable_ipv6"] is True
        assert len({subnet["subnet"] for subnet in network["ipam"]["config"]}) == 2
    assert "default" in TIERS["announce_public"]


@pytest.mark.parametrize("variable", ["ETRACKER_LISTEN_HOST", "ETRACKER_LISTEN_PORT", "ETRACKER_OBSERVATION_HOST"])
def test_a_setting_for_make_run_in_env_leaves_the_containers_listening(variable: str) -> None:
    """A name without a value would be taken from .env."""
    for name, service in SERVICES.items():
        given = service.get("environment", {})
        assert variable not in given or given[variable] == "0.0.0.0", name


@pytest.mark.parametrize("path", ["compose.yml", "deploy/Dockerfile", "deploy/gateway/Dockerfile"])
def test_images_of_others_have_exact_versions_that_can_be_overridden(path: str) -> None:
    text = (ROOT / path).read_text()
    used = re.findall(r"^FROM (\S+)|^    image: (\S+)", text, re.MULTILINE)
    others = [one for one in ("".join(found) for found in used) if not one.startswith("etracker-")]
    defaults = re.findall(r"^ARG \w+_IMAGE=(\S+)$|\$\{ETRACKER_\w+_IMAGE:-([^}]+)\}", text, re.MULTILINE)
    assert others
    assert [one for one in others if not re.fullmatch(r"\$\{\w+_IMAGE(:-[^}]+)?\}", one)] == []
    assert [one for one in ("".join(found) for found in defaults) if not re.search(r":v?\d+(\.\d+)+", one)] == []


def test_stores_keep_their_files_apart_from_those_that_they_cant_read() -> None:
    assert [one for one in SERVICES["redis"]["volumes"] if one.endswith(":/data")] == ["valkey:/data"]
    assert "redis" not in COMPOSE["volumes"]


def test_no_password_is_on_a_command_line_or_in_a_health_check() -> None:
    for name, service in SERVICES.items():
        shown = str([service.get("command"), service.get("healthcheck"), service.get("entrypoint")])
        shown = shown.replace('[ -n "$$GF_SECURITY_ADMIN_PASSWORD" ]', "")  # in the shell itself, without a process
        assert not re.search(r"\$\{?\w*(PASSWORD|AUTH|REDIS\b)|requirepass", shown), name
